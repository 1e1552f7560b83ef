//! The dialect over a fresh store of each make.

mod accounts;
mod catalogue;
mod connections;
mod keys;
mod networks;
mod seed;
mod world;
