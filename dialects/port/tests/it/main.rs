//! The dialect over a real store, without a socket.

mod catalog;
mod kit;
mod login;
