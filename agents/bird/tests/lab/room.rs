//! A router that the agent drives, and a neighbour that somebody else configured.

use std::{net::Ipv4Addr, process::Command, sync::Arc, time::Duration};

use meetme_agent::{
    Agent, AgentError, Fence, FenceGate, Target, WireSecret,
    router::{BgpSession, BgpState, Desired, Observed, Plan, Policy, RouteSource, SessionState, Term, Timers, Verdict},
};
use meetme_base::{Asn, SystemClock};
use meetme_bird::Bird;
use meetme_lab::{Host, Lab, Skip, until, until_async};

/// Longer than anything here takes on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

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
    pub bird: Bird,
    pub target: Target,
    pub router: usize,
    pub us: Host,
}

pub fn asn(n: i64) -> Asn {
    Asn::try_from(n).unwrap()
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
        let mut room = Self::empty().await?;
        let host = room.lab.host("peer", &["192.0.2.2/24"]).unwrap();
        room.start_bird(&host, "peer", NEIGHBOUR).await;
        Some(room)
    }

    async fn build() -> Result<Self, Skip> {
        let mut lab = Lab::new()?;
        meetme_lab::program("bird")?;
        meetme_lab::program("birdc")?;
        let us = lab.host("us", &["192.0.2.1/24", "2001:db8:1::1/64"])?;
        let settings = serde_json::json!({
            "socket": lab.file("us.ctl"), "config_path": lab.file("us.conf"), "confirm_seconds": 10,
        });
        let target =
            Target { id: 7, name: "edge1".into(), address: String::new(), settings, access: None, repair: false };
        let bird = Bird::new(Arc::new(SystemClock), FenceGate::in_memory());
        let mut room = Self { lab, bird, target, router: 0, us: us.clone() };
        room.router = room.start_bird(&us, "us", "router id 192.0.2.1;\nprotocol device { }\n").await;
        Ok(room)
    }

    async fn start_bird(&mut self, host: &Host, name: &str, config: &str) -> usize {
        let [file, socket, process] = ["conf", "ctl", "pid"].map(|kind| self.path(&format!("{name}.{kind}")));
        std::fs::write(&file, format!("log \"{}\" all;\n{config}", self.path(&format!("{name}.log")))).unwrap();
        let command = ["bird", "-f", "-c", &file, "-s", &socket, "-P", &process];
        let daemon = self.lab.start(host, name, &command).unwrap();
        let is_up =
            until(SOON, || !self.lab.is_running(daemon) || std::fs::metadata(&process).is_ok_and(|f| f.len() > 0));
        assert!(is_up.await && self.lab.is_running(daemon), "{}", self.text(&format!("{name}.out")));
        daemon
    }

    pub fn path(&self, name: &str) -> String {
        self.lab.file(name).to_str().unwrap().to_owned()
    }

    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.lab.file(name)).unwrap()
    }

    /// An operator's hand on the daemon's own command line.
    pub fn birdc(&self, socket: &str, command: &str) -> String {
        let done = Command::new("birdc").args(["-s", &self.path(socket), command]).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    }

    /// How many segments the router's kernel threw away for a wrong or missing password.
    pub fn wrong_passwords(&self) -> u64 {
        let done = self.us.command("cat").arg("/proc/net/netstat").output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let counters = rows.chunks_exact(2).flat_map(|pair| pair[0].iter().zip(&pair[1]));
        counters.filter(|(name, _)| name.starts_with("TCPMD5")).map(|(_, n)| n.parse::<u64>().unwrap()).sum()
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

    pub async fn observe(&self) -> Result<Observed, AgentError> {
        self.bird.observe(&self.target).await
    }

    pub async fn plan(&self, want: &Desired) -> Plan {
        self.bird.plan(want, &self.observe().await.unwrap()).unwrap()
    }

    pub async fn try_apply(&self, want: &Desired, fence: u64) -> Result<Observed, AgentError> {
        let plan = self.plan(want).await;
        self.bird.apply(&self.target, plan, Fence(fence)).await
    }

    pub async fn apply(&self, want: &Desired) -> Observed {
        self.try_apply(want, 1).await.unwrap()
    }

    /// The session `s1` as it is seen once `condition` holds.
    pub async fn session(&self, condition: impl Fn(&SessionState) -> bool) -> SessionState {
        let mut last = None;
        let held = until_async(SOON, async || {
            let seen = self.observe().await.unwrap();
            last = seen.sessions.into_iter().find(|s| s.key.as_ref().is_some_and(|key| key.as_str() == "s1"));
            last.as_ref().is_some_and(&condition)
        });
        assert!(held.await, "the session stays {last:?}\n{}", self.text("us.log"));
        last.unwrap()
    }

    pub async fn established(&self) -> SessionState {
        self.session(|s| s.state == BgpState::Established).await
    }
}
