//! A router that the agent drives, and neighbours of other makes that somebody else configured.

use std::{
    net::Ipv4Addr,
    ops::{Deref, DerefMut},
    path::PathBuf,
    process::Command,
};

use meetme_agent::{
    FenceGate, WireSecret,
    router::{BgpSession, Desired, Policy, RouteSource, Term, Timers, Verdict},
};
use meetme_frr::Frr;
use meetme_lab::{Driven, Host, Lab, SOON, Skip, program, until, wish::asn};

/// The neighbour's configuration, written by hand: routes of both families, a password on one session.
const NEIGHBOUR: &str = r#"
router id 192.0.2.2;
protocol device {}
protocol bfd {}
protocol static {
    ipv4;
    route 203.0.113.0/24 blackhole { bgp_community.add((64501, 1)); bgp_ext_community.add((rt, 64501, 9)); };
    route 198.51.100.0/24 blackhole { bgp_path.prepend(64999); };
    route 198.18.7.0/24 blackhole { bgp_large_community.add((64501, 1, 1)); };
}
protocol static { ipv6; route 2001:db8:300::/48 blackhole; route 2001:db8:301::/48 blackhole; }
template bgp back_to_us {
    local as 64501;
    connect delay time 1; connect retry time 1; error wait time 1, 2;
}
protocol bgp back from back_to_us {
    neighbor 192.0.2.1 as 64500;
    password "s3|cret#!";
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
    driven: Driven<Frr>,
    pub bgpd: usize,
    pub us: Host,
    pub peer: Option<Host>,
    directory: PathBuf,
}

impl Room {
    /// An FRR without BGP; nobody else is there. None, said aloud, where no lab can be had.
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

    /// The same, the neighbour's two sessions with more to them.
    pub async fn speaking(first: &str, second: &str) -> Option<Self> {
        let place = "    password \"s3|cret#!\";\n";
        let text = NEIGHBOUR.replace(place, &format!("{place}    {first}\n"));
        let place = "    neighbor 2001:db8:1::1 as 64500;\n";
        Self::beside(&text.replace(place, &format!("{place}    {second}\n"))).await
    }

    async fn beside(neighbour: &str) -> Option<Self> {
        let mut room = Self::empty().await?;
        let host = room.lab.host("peer", &["192.0.2.2/24", "2001:db8:1::2/64"]).unwrap();
        if let Err(skip) = room.lab.start_bird(&host, "peer", neighbour).await {
            skip.report();
            return None;
        }
        room.peer = Some(host);
        Some(room)
    }

    async fn build() -> Result<Self, Skip> {
        let mut lab = Lab::new()?;
        for needed in ["/usr/lib/frr/bgpd", "/usr/bin/vtysh", "/usr/lib/frr/frr-reload.py"] {
            program(needed)?;
        }
        let us = lab.host("us", &["192.0.2.1/24", "2001:db8:1::1/64"])?;
        let directory = lab.directory_of("frr", "frr")?;
        let config = directory.join("frr.conf");
        std::fs::write(&config, "! what an operator wrote\nno ip forwarding\n").unwrap();
        let settings = serde_json::json!({"socket_dir": &directory, "config_path": &config});
        let logs = vec![directory.join("frr.log"), lab.file("peer.log")];
        let driven = Driven::new(Frr::new(FenceGate::in_memory()), settings, logs);
        let mut room = Self { lab, driven, bgpd: 0, us: us.clone(), peer: None, directory };
        room.start(&us, "zebra");
        // A bgpd that finds no zebra looks for it again after ten seconds, and knows no interface until then.
        let is_open = || room.directory.join("zserv.api").exists() && room.try_vtysh(&["show version"]).is_some();
        assert!(until(SOON, is_open).await, "{}", room.text("zebra.out"));
        room.bgpd = room.start(&us, "bgpd");
        let knows = || {
            let clients = room.try_vtysh(&["show bgp summary json", "show zebra client summary"]);
            clients.is_some_and(|clients| clients.contains("bgp"))
        };
        assert!(until(SOON, knows).await, "{}", room.text("bgpd.out"));
        room.vtysh(&["configure", "interface eth0", "description theirs"]);
        Ok(room)
    }

    /// Starts FRR's daemon for bidirectional forwarding detection, which routers without it do not run.
    pub async fn start_bfd(&mut self) {
        let us = self.us.clone();
        self.start(&us, "bfdd");
        assert!(until(SOON, || self.try_vtysh(&["show bfd peers json"]).is_some()).await, "{}", self.text("bfdd.out"));
    }

    fn start(&mut self, host: &Host, daemon: &str) -> usize {
        let path = |name: &str| self.directory.join(name).to_str().unwrap().to_owned();
        let [process, zebra, log] = [format!("{daemon}.pid"), "zserv.api".into(), "frr.log".into()].map(|n| path(&n));
        let [program, log] = [format!("/usr/lib/frr/{daemon}"), format!("file:{log}")];
        let sockets = path("");
        let command = [
            &program,
            "--vty_socket",
            &sockets,
            "-i",
            &process,
            "-z",
            &zebra,
            "-A",
            "127.0.0.1",
            "-P",
            "0",
            "--log",
            &log,
        ];
        self.lab.start(host, daemon, &command).unwrap()
    }

    pub fn path(&self, name: &str) -> String {
        self.lab.path(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.lab.text(name)
    }

    /// The names of what is left in the directory of the configuration by the agent.
    pub fn left(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(".meetme-") && !name.ends_with(".given")).collect()
    }

    /// An operator's hand on FRR's own command line.
    pub fn vtysh(&self, commands: &[&str]) -> String {
        self.try_vtysh(commands).unwrap()
    }

    fn try_vtysh(&self, commands: &[&str]) -> Option<String> {
        let mut command = Command::new("/usr/bin/vtysh");
        command.arg("--vty_socket").arg(&self.directory);
        for one in commands {
            command.args(["-c", one]);
        }
        let done = command.output().unwrap();
        done.status.success().then(|| String::from_utf8(done.stdout).unwrap())
    }

    pub fn running(&self) -> String {
        self.vtysh(&["show running-config"])
    }

    pub fn birdc(&self, command: &str) -> String {
        self.lab.birdc("peer", command)
    }

    /// How many segments the router's kernel threw away for a wrong or missing password.
    pub fn wrong_passwords(&self) -> u64 {
        self.us.counted("TCPMD5")
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
        four.password = Some(WireSecret::new("s3|cret#!"));
        four.description = "A neighbour |with a hand-made configuration".to_owned();
        want.sessions = vec![four, six];
        want
    }

    /// The ids of the processes that count down to take a change back.
    pub fn guards(&self) -> Vec<String> {
        let of_ours = |entry: std::fs::DirEntry| {
            let process = entry.file_name().into_string().ok()?;
            let said = std::fs::read(entry.path().join("cmdline")).ok()?;
            let is_one =
                String::from_utf8_lossy(&said).contains(&*self.directory.join(".meetme-undo").to_string_lossy());
            is_one.then_some(process)
        };
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| of_ours(entry.unwrap())).collect()
    }
}

/// A room is first of all the router in it.
impl Deref for Room {
    type Target = Driven<Frr>;
    fn deref(&self) -> &Driven<Frr> {
        &self.driven
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut Driven<Frr> {
        &mut self.driven
    }
}
