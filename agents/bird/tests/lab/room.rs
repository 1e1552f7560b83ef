//! A router that the agent drives, and a neighbour that somebody else configured.

use std::{
    net::Ipv4Addr,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use meetme_agent::{
    FenceGate, WireSecret,
    router::{BgpSession, Desired, Policy, RouteSource, Term, Timers, Verdict},
};
use meetme_base::SystemClock;
use meetme_bird::Bird;
use meetme_lab::{Driven, Host, Lab, Skip, wish::asn};

/// The neighbour's configuration, written by hand: three routes, a password.
const NEIGHBOUR: &str = r#"
router id 192.0.2.2;
protocol device {}
protocol static { ipv4; route 203.0.113.0/24 blackhole; route 198.51.100.0/24 blackhole; route 198.18.7.0/24 blackhole; }
protocol bgp back {
    local 192.0.2.2 as 64501;
    neighbor 192.0.2.1 as 64500;
    password "s3cret";
    connect delay time 1; connect retry time 1; error wait time 1, 2;
    ipv4 { import all; export all; };
}
"#;

/// The test's network, agent and the box's description.
pub struct Room {
    pub lab: Lab,
    driven: Driven<Bird>,
    pub router: usize,
    pub us: Host,
    pub peer: Option<Host>,
}

impl Room {
    /// A BIRD with an empty configuration; nobody else is there. None, said aloud, where no lab can be had.
    pub async fn empty() -> Option<Self> {
        match Self::build().await {
            Ok(room) => Some(room),
            Err(skip) => {
                skip.report();
                None
            }
        }
    }

    /// The same with the hand-made neighbour beside it.
    pub async fn with_neighbour() -> Option<Self> {
        Self::beside(NEIGHBOUR).await
    }

    /// The same with another hand-made neighbour.
    pub async fn beside(neighbour: &str) -> Option<Self> {
        let mut room = Self::empty().await?;
        let host = room.lab.host("peer", &["192.0.2.2/24"]).unwrap();
        room.lab.start_bird(&host, "peer", neighbour).await.unwrap();
        room.peer = Some(host);
        Some(room)
    }

    async fn build() -> Result<Self, Skip> {
        let mut lab = Lab::new()?;
        let us = lab.host("us", &["192.0.2.1/24", "2001:db8:1::1/64"])?;
        let settings = serde_json::json!({
            "socket": lab.file("us.ctl"), "config_path": lab.file("us.conf"), "confirm_seconds": 10,
        });
        let bird = Bird::new(Arc::new(SystemClock), FenceGate::in_memory());
        let driven = Driven::new(bird, settings, vec![lab.file("us.log"), lab.file("peer.log")]);
        let router = lab.start_bird(&us, "us", "router id 192.0.2.1;\nprotocol device { }\n").await?;
        Ok(Self { lab, driven, router, us, peer: None })
    }

    /// An operator's hand on the command line of the router's daemon (`us`), or of the neighbour's (`peer`).
    pub fn birdc(&self, name: &str, command: &str) -> String {
        self.lab.birdc(name, command)
    }

    pub fn path(&self, name: &str) -> String {
        self.lab.path(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.lab.text(name)
    }

    /// How many segments the router's kernel threw away for a wrong or missing password.
    pub fn wrong_passwords(&self) -> u64 {
        self.us.counted("TCPMD5")
    }

    /// The router without sessions, quick to connect, with a log of its own.
    pub fn alone(&self) -> Desired {
        let mut want = Desired::new("edge1", Ipv4Addr::new(192, 0, 2, 1), asn(64500));
        want.log_file = Some(self.path("us.log"));
        want.timers =
            Timers { hold: Some(30), connect_delay: Some(1), connect_retry: Some(1), error_wait: Some((1, 2)) };
        want.networks = vec!["192.0.2.0/24".parse().unwrap()];
        want
    }

    /// The router with its session to the neighbour, which takes everything and tells only its own network.
    pub fn peering(&self) -> Desired {
        let mut want = self.alone();
        let mut session = BgpSession::new("s1".parse().unwrap(), asn(64500), "192.0.2.2".parse().unwrap(), asn(64501));
        session.password = Some(WireSecret::new("s3cret"));
        session.max_prefixes = Some(10);
        session.import = Policy::accept_all();
        session.export.terms =
            vec![Term { source: Some(RouteSource::Originated), then: Verdict::Accept, ..Term::default() }];
        want.sessions.push(session);
        want
    }
}

/// A room is first of all the router in it.
impl Deref for Room {
    type Target = Driven<Bird>;
    fn deref(&self) -> &Driven<Bird> {
        &self.driven
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut Driven<Bird> {
        &mut self.driven
    }
}
