//! A router that the agent drives, and a neighbour of another make that somebody else configured.

use std::{
    net::Ipv4Addr,
    ops::{Deref, DerefMut},
    process::Command,
    sync::Arc,
};

use meetme_agent::{
    FenceGate, WireSecret,
    router::{BgpSession, Desired, Policy, RouteSource, Term, Timers, Verdict},
};
use meetme_base::SystemClock;
use meetme_lab::{Driven, Lab, SOON, Skip, program, until, wish::asn};
use meetme_openbgpd::OpenBgpd;

/// The neighbour's configuration, written by hand: routes of both families, a password on one session.
const NEIGHBOUR: &str = r#"
router id 192.0.2.2;
protocol device {}
protocol static {
    ipv4;
    route 203.0.113.0/24 blackhole { bgp_community.add((64501, 1)); bgp_ext_community.add((rt, 64501, 9)); };
    route 198.51.100.0/24 blackhole { bgp_path.prepend(64999); };
    route 198.18.7.0/24 blackhole { bgp_large_community.add((64501, 1, 1)); bgp_large_community.add((4294967295, 0, 1)); };
}
protocol static { ipv6; route 2001:db8:300::/48 blackhole; route 2001:db8:301::/48 blackhole; }
template bgp back_to_us {
    local as 64501;
    connect delay time 1; connect retry time 1; error wait time 1, 2;
    debug { states };
}
protocol bgp back from back_to_us {
    neighbor 192.0.2.1 as 64500;
    password "s3|cret #";
    ipv4 { import all; export all; };
}
protocol bgp back6 from back_to_us {
    neighbor 2001:db8:1::1 as 64500;
    ipv6 { import all; export all; };
}
"#;

/// The test's network, agent and the box's description.
pub struct Room {
    pub lab: Lab,
    driven: Driven<OpenBgpd>,
    pub daemon: usize,
}

impl Room {
    /// An OpenBGPD with an almost empty configuration; nobody else is there. None, said aloud, where no lab can be had.
    pub async fn empty() -> Option<Self> {
        match Self::build().await {
            Ok(room) => Some(room),
            Err(skip) => {
                skip.report();
                None
            }
        }
    }

    /// The same with a hand-made neighbour, a BIRD, beside it.
    pub async fn with_neighbour() -> Option<Self> {
        Self::beside(NEIGHBOUR).await
    }

    /// The same, the neighbour's first session with more to it.
    pub async fn speaking(more: &str) -> Option<Self> {
        let place = "    password \"s3|cret #\";\n";
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
        for needed in ["/usr/sbin/bgpd", "/usr/sbin/bgpctl"] {
            program(needed)?;
        }
        let us = lab.host("us", &["192.0.2.1/24", "2001:db8:1::1/64"])?;
        // The home of the daemon's user, to which it confines itself. A system that starts services makes it.
        std::fs::create_dir_all("/run/openbgpd")
            .map_err(|e| Skip::new(format!("/run/openbgpd cannot be made: {e}")))?;
        let (config, socket) = (lab.file("us.conf"), lab.file("us.sock"));
        let settings = serde_json::json!({"socket": &socket, "config_path": &config, "confirm_seconds": 20});
        let text = format!("AS 64500\nrouter-id 192.0.2.1\nsocket \"{}\"\n", socket.display());
        std::fs::write(&config, text).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&config, private).unwrap();
        let agent = OpenBgpd::new(Arc::new(SystemClock), FenceGate::in_memory());
        let driven = Driven::new(agent, settings, vec![lab.file("us.out"), lab.file("peer.log")]);
        let mut room = Self { lab, driven, daemon: 0 };
        let file = room.path("us.conf");
        room.daemon = room.lab.start(&us, "us", &["/usr/sbin/bgpd", "-d", "-f", &file]).unwrap();
        assert!(until(SOON, || room.bgpctl(&["show"]).contains("Neighbor")).await, "{}", room.text("us.out"));
        Ok(room)
    }

    pub fn path(&self, name: &str) -> String {
        self.lab.path(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.lab.text(name)
    }

    /// The names of what the agent has left beside the configuration.
    pub fn left(&self) -> Vec<String> {
        let names =
            std::fs::read_dir(self.lab.directory()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".meetme-")).collect()
    }

    /// An operator's hand on the daemon's own command line.
    pub fn bgpctl(&self, words: &[&str]) -> String {
        let done = Command::new("/usr/sbin/bgpctl").arg("-s").arg(self.path("us.sock")).args(words).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    }

    pub fn birdc(&self, command: &str) -> String {
        self.lab.birdc("peer", command)
    }

    /// How often a session has come up at the neighbour's side, once it is up there: the moment that each side tells is worked out anew
    /// with each answer, and not always the same.
    pub async fn up_at_the_neighbour(&self, protocol: &str) -> usize {
        let is_up = || {
            let table = self.birdc("show protocols");
            table.lines().any(|l| l.split(' ').next() == Some(protocol) && l.contains("Established"))
        };
        assert!(until(SOON, is_up).await, "{}", self.birdc("show protocols"));
        self.text("peer.log").matches(&format!(" {protocol}: State changed to up")).count()
    }

    /// The router without sessions, quick to connect.
    pub fn alone(&self) -> Desired {
        let mut want = Desired::new("edge1", Ipv4Addr::new(192, 0, 2, 1), asn(64500));
        want.timers = Timers { hold: Some(30), connect_retry: Some(1), ..Timers::default() };
        want.networks = ["192.0.2.0/24", "2001:db8:1::/64"].map(|net| net.parse().unwrap()).to_vec();
        want
    }

    /// The router with its sessions to the neighbour, one of each family, which take everything and tell only what is our own.
    pub fn peering(&self) -> Desired {
        let mut want = self.alone();
        let mut four = BgpSession::new("s1".parse().unwrap(), asn(64500), "192.0.2.2".parse().unwrap(), asn(64501));
        four.max_prefixes = Some(10);
        four.import = Policy::accept_all();
        four.export.terms =
            vec![Term { source: Some(RouteSource::Originated), then: Verdict::Accept, ..Term::default() }];
        let mut six = four.clone();
        (six.key, six.peer_address) = ("s2".parse().unwrap(), "2001:db8:1::2".parse().unwrap());
        four.password = Some(WireSecret::new("s3|cret #"));
        four.description = "A neighbour; } with a hand-made configuration".to_owned();
        want.sessions = vec![four, six];
        want
    }
}

/// A room is first of all the router in it.
impl Deref for Room {
    type Target = Driven<OpenBgpd>;
    fn deref(&self) -> &Driven<OpenBgpd> {
        &self.driven
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut Driven<OpenBgpd> {
        &mut self.driven
    }
}
