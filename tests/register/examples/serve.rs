//! Serves a made-up register until it is stopped, for a server to make its copy of: `cargo run -p meetme-testregister --example serve
//! [NETWORKS]` prints the address for `url` in `[peeringdb]`. Without a number it has the size of the real one.

use std::{sync::Arc, thread};

use meetme_testregister::{Register, Server, Size};

fn main() {
    let networks = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let server = Server::of(Arc::new(Register::of(networks.map_or(Size::REAL, Size::of))));
    println!("{}", server.url());
    loop {
        thread::park();
    }
}
