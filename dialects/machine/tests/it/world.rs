//! A site with two servers that start over the network, and a device on each.

use http_body_util::BodyExt as _;
use meetme_app::devices::{self, NewDevice, Place as At, machine};
use meetme_base::{Id, RawId, Time};
use meetme_http::{Door, Server, ServerConfig};
use meetme_machine::Settings;
use meetme_model::{
    access::{Organization, Project, SshKey},
    fabric::Pool,
    metal::{Device, DeviceStatus, MachineBusy, MachineTold, Server as Metal},
    place::{Image, Metro, Plan, Site},
};
use meetme_store::Object;
use meetme_testkit::{Place, as_system, both, request};
use serde_json::{Value, json};

pub const BASE: &str = "http://198.18.0.1:8081";
/// Where the machines of the two devices start.
pub const ONE: &str = "198.18.0.65";
pub const TWO: &str = "198.18.0.66";

pub struct World {
    pub place: Place,
    pub server: Server,
    pub one: Id<Device>,
    pub two: Id<Device>,
    pub files: tempfile::TempDir,
}

fn of<T: serde::de::DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

/// A world on each database.
pub async fn worlds() -> Vec<World> {
    let mut out = Vec::new();
    for place in both(Time(1_790_000_000_000)) {
        out.push(World::on(place).await);
    }
    out
}

impl World {
    async fn on(place: Place) -> Self {
        let (one, two) = as_system(&place.app, |_, tx| {
            let operator: Organization = of(json!({"name": "Operator", "form": "operator"}));
            let operator = tx.create(RawId::new(0), operator)?.id.any();
            let metro: Metro = of(json!({"slug": "us-ral", "name": "Raleigh", "country": "US"}));
            let metro = tx.create(operator, metro)?.id;
            let site: Site = of(json!({"slug": "ral1", "name": "Raleigh 1", "metro": metro}));
            let site = tx.create(operator, site)?.id;
            let plan: Plan = of(json!({"slug": "c3", "name": "c3.small", "line": "server", "sold_at": [site]}));
            let plan = tx.create(operator, plan)?.id;
            let source =
                json!({"url": "http://198.18.0.1:8081/files/tiny.raw.gz", "sha256": "0a".repeat(32), "form": "gzip"});
            let disk: Image = of(json!({"slug": "tiny", "name": "Tiny", "distro": "tiny", "source": source}));
            let disk = tx.create(operator, disk)?.id;
            let script: Image = of(json!({"slug": "custom_ipxe", "name": "iPXE", "boot": "script"}));
            let script = tx.create(operator, script)?.id;
            let pool: Pool = of(json!({
                "what": "addresses", "purpose": machine::BOOT, "at": site, "networks": ["198.18.0.64/26"],
            }));
            tx.create(operator, pool)?;
            for n in 1..=2 {
                let server: Metal = of(json!({
                    "serial": format!("S{n}"), "plan": plan, "site": site,
                    "nics": [{"name": "eth0", "mac": format!("02:00:5e:10:00:0{n}")}],
                }));
                tx.create(operator, server)?;
            }
            let project: Project = of(json!({"name": "P", "organization": operator.get()}));
            let project = tx.create(operator, project)?.id;
            let key = SshKey {
                label: "k".into(),
                key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ me".into(),
                owner: project.any(),
            };
            tx.create(project.any(), key)?;
            let new = |image, hostname: &str| NewDevice {
                hostname: Some(hostname.into()),
                addresses: Some(Vec::new()),
                ..NewDevice::new(plan, image, vec![At::Site(site)])
            };
            let one = devices::order(tx, project, &new(disk, "one"))?.id;
            let script = NewDevice { ipxe_url: Some("http://192.0.2.1/a.ipxe".into()), ..new(script, "two") };
            let two = devices::order(tx, project, &script)?.id;
            let hosts = machine::boot_addresses(tx, "ral1", &[])?;
            let addresses: Vec<String> = hosts.iter().map(|host| host.address.to_string()).collect();
            assert_eq!(addresses, [ONE, TWO]);
            assert_eq!(machine::boot_addresses(tx, "ral1", &[])?, hosts, "addresses change by themselves");
            Ok((one, two))
        })
        .await;
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("vmlinuz"), vec![7; 600_000]).unwrap();
        let settings = Settings {
            site: Some("ral1".into()),
            url: Some(BASE.into()),
            files: Some(files.path().to_owned()),
            arguments: "quiet".into(),
        };
        let config = ServerConfig { trusted_proxies: vec!["192.0.2.9/32".parse().unwrap()], ..ServerConfig::default() };
        let server = Server::new(config, vec![meetme_machine::dialect(settings)], place.app.clone()).unwrap().bare();
        Self { place, server, one, two, files }
    }

    /// A request from an address.
    pub async fn from(&self, ip: &str, line: &str) -> (u16, String) {
        self.send(ip, line, &[], "").await
    }

    pub async fn send(&self, ip: &str, line: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let door = Door { socket: ip.parse().unwrap(), ..Door::inside() };
        let (head, content) = self.server.call(&door, request(line, headers, body.to_owned())).await.into_parts();
        let bytes = content.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
    }

    pub async fn device(&self, id: Id<Device>) -> Object<Device> {
        as_system(&self.place.app, move |_, tx| Ok(tx.get(id)?)).await
    }

    pub async fn edit(&self, id: Id<Device>, edit: impl Fn(&mut Device, &mut DeviceStatus, Time) + Send + 'static) {
        as_system(&self.place.app, move |_, tx| {
            let mut device = tx.get(id)?;
            let (mut spec, mut status) = (device.spec.clone(), device.status.clone());
            edit(&mut spec, &mut status, tx.now());
            tx.save(&mut device, spec)?;
            Ok(tx.observe(&mut device, status, None)?)
        })
        .await;
    }

    /// As the controller leaves it once the equipment was told.
    pub async fn told(&self, id: Id<Device>, busy: MachineBusy) {
        self.edit(id, move |_, status, now| {
            status.told = Some(MachineTold { installed: 1, starts: 0, busy: Some(busy), at: now });
        })
        .await;
    }
}
