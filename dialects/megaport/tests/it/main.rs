//! The dialect over a real store of each make, without a socket.

mod circuits;
mod orders;
mod places;
mod seed;
mod world;
