//! A router that the agent drives, and a neighbour of another make that somebody else configured.

use std::{
    net::Ipv4Addr,
    ops::{Deref, DerefMut},
    process::Command,
};

use meetme_agent::{
    FenceGate, WireSecret,
    router::{BgpSession, Desired, Observed, Policy, RouteSource, Term, Timers, Verdict},
};
use meetme_gobgp::Gobgp;
use meetme_lab::{Driven, Host, Lab, SOON, Skip, until, wish::asn};
use serde_json::Value;

/// The neighbour's configuration, written by hand: BIRD with four routes and a password.
pub const NEIGHBOUR: &str = r#"
router id 192.0.2.2;
protocol device {}
protocol static { ipv4;
    route 203.0.113.0/24 blackhole { bgp_community.add((64501, 1)); bgp_ext_community.add((rt, 64501, 9)); };
    route 198.51.100.0/24 blackhole { bgp_large_community.add((64501, 1, 1)); };
    route 198.18.7.0/24 blackhole;
    route 10.1.0.0/16 blackhole { bgp_path.prepend(64999); };
    route 10.1.2.0/24 blackhole { bgp_path.prepend(64998); };
}
protocol static { ipv6; route 2001:db8:200::/48 blackhole; route 2001:db8:201::/48 blackhole; }
template bgp quick {
    local as 64501;
    connect delay time 1; connect retry time 1; error wait time 1, 2;
}
protocol bgp back from quick {
    neighbor 192.0.2.1 as 64500;
    password "s3cret";
    ipv4 { import all; export all; };
}
protocol bgp six from quick {
    neighbor 2001:db8:1::1 as 64500;
    ipv6 { import all; export all; };
}
"#;

/// The test's network, agent and the box's description.
pub struct Room {
    pub lab: Lab,
    driven: Driven<Gobgp>,
    pub router: usize,
    pub us: Host,
}

impl Room {
    /// A gobgpd that nobody has told anything; nobody else is there. None, said aloud, where no lab can be had.
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

    /// The same, the neighbour's first session with more to it.
    pub async fn speaking(more: &str) -> Option<Self> {
        let place = "    password \"s3cret\";\n";
        Self::beside(&NEIGHBOUR.replace(place, &format!("{place}    {more}\n"))).await
    }

    async fn beside(neighbour: &str) -> Option<Self> {
        let mut room = Self::empty().await?;
        let host = room.lab.host("peer", &["192.0.2.2/24", "2001:db8:1::2/64"]).unwrap();
        if let Err(skip) = room.lab.start_bird(&host, "peer", neighbour).await {
            skip.report();
            return None;
        }
        Some(room)
    }

    async fn build() -> Result<Self, Skip> {
        let mut lab = Lab::new()?;
        for program in ["gobgpd", "gobgp"] {
            meetme_lab::program(program)?;
        }
        let us = lab.host("us", &["192.0.2.1/24", "2001:db8:1::1/64"])?;
        let settings = serde_json::json!({
            "api": format!("unix://{}", lab.file("us.sock").display()), "confirm_seconds": 5,
        });
        let agent = Gobgp::new(FenceGate::in_memory(), lab.directory());
        let driven = Driven::new(agent, settings, vec![lab.file("us.out"), lab.file("peer.log")]);
        let mut room = Self { lab, driven, router: 0, us };
        room.start_router().await;
        Ok(room)
    }

    /// Starts the router's daemon, empty.
    pub async fn start_router(&mut self) {
        let socket = self.path("us.sock");
        std::fs::remove_file(&socket).ok();
        let api = format!("unix://{socket}");
        let command = ["gobgpd", "--api-hosts", &api, "--pprof-disable", "--log-plain"];
        self.router = self.lab.start(&self.us.clone(), "us", &command).unwrap();
        let is_up = until(SOON, || self.gobgp(&["global"]).contains("AS:")).await;
        assert!(is_up, "{}", self.text("us.out"));
    }

    pub fn path(&self, name: &str) -> String {
        self.lab.path(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.lab.text(name)
    }

    /// An operator's hand on the daemon's own command line.
    pub fn gobgp(&self, arguments: &[&str]) -> String {
        let target = format!("unix://{}", self.path("us.sock"));
        let done = Command::new("gobgp").args(["--target", &target]).args(arguments).output().unwrap();
        String::from_utf8(done.stdout).unwrap() + &String::from_utf8_lossy(&done.stderr)
    }

    /// What the daemon's own command line tells in JSON.
    pub fn gobgp_json(&self, arguments: &[&str]) -> Value {
        let said = self.gobgp(&[&["-j"], arguments].concat());
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {said}"))
    }

    pub fn birdc(&self, command: &str) -> String {
        self.lab.birdc("peer", command)
    }

    /// Whether the neighbour has been told a network, with what it knows of it.
    pub fn neighbour_knows(&self, net: &str) -> bool {
        self.birdc(&format!("show route {net} all protocol back")).contains("BGP.next_hop")
    }

    /// The router without sessions.
    pub fn alone(&self) -> Desired {
        let mut want = Desired::new("edge1", Ipv4Addr::new(192, 0, 2, 1), asn(64500));
        want.timers = Timers { hold: Some(30), connect_retry: Some(10), ..Timers::default() };
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

    pub async fn apply(&self, want: &Desired) -> Observed {
        let seen = self.try_apply(want, 1).await.unwrap_or_else(|e| panic!("{e}\n{}", self.text("us.out")));
        let left = self.plan(want).await;
        assert_eq!((left.is_change, left.diff.as_str()), (false, ""), "what was applied is not what is seen");
        seen
    }
}

/// A room is first of all the router in it.
impl Deref for Room {
    type Target = Driven<Gobgp>;
    fn deref(&self) -> &Driven<Gobgp> {
        &self.driven
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut Driven<Gobgp> {
        &mut self.driven
    }
}
