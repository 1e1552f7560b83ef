//! The whole binary, as its users meet it: one server with the demo world, real clients, real daemons.

mod kit;
mod lab;
mod one_thing;
mod seeds;
