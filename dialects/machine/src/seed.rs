//! What an installed system reads at its first start: the four files of cloud-init's NoCloud source, and the plan that our own
//! system in memory follows.
//!
//! Every text that comes from people is written as a JSON string, which YAML reads as it is. The plan is read by a shell: its
//! values are of characters that mean nothing to one, or it is not written.

use std::fmt::Write as _;

use meetme_app::devices::machine::Installation;
use serde_json::{Value, json};

/// What our system in memory is to do.
pub fn plan(installation: &Installation) -> Option<String> {
    let source = installation.source.as_ref()?;
    let mut out = String::from("action=install\n");
    let keep = u8::from(installation.keep_disks);
    // Writing into a String cannot fail.
    write!(
        out,
        "image_url='{}'\nimage_sha256={}\nimage_form={}\nkeep_disks={keep}\n",
        source.url,
        source.sha256.to_ascii_lowercase(),
        source.form.word()
    )
    .unwrap_or_default();
    // The model lets nothing else through; should it one day, nothing is installed rather than something run.
    (!source.url.contains(['\'', '\n', '\r'])).then_some(out)
}

fn text(value: &str) -> String {
    Value::from(value).to_string()
}

/// `meta-data`: who it is, and who may log in.
pub fn meta_data(installation: &Installation) -> String {
    let mut out = format!(
        "instance-id: {}\nlocal-hostname: {}\n",
        text(&format!("{}-{}", installation.uid, installation.number)),
        text(&installation.hostname)
    );
    out.push_str(if installation.keys.is_empty() { "public-keys: []\n" } else { "public-keys:\n" });
    for key in &installation.keys {
        out.push_str(&format!("  - {}\n", text(key)));
    }
    out
}

/// `user-data`: what its owner gave, as it is.
pub fn user_data(installation: &Installation) -> String {
    installation.userdata.clone().unwrap_or_else(|| "#cloud-config\n{}\n".to_owned())
}

/// `vendor-data`: that it says when it has started, and its first password. What its owner gave goes over it.
pub fn vendor_data(installation: &Installation, base: &str) -> String {
    let mut out = String::from("#cloud-config\n");
    let home = json!({"url": format!("{base}/phone-home"), "post": ["instance_id"], "tries": 30});
    out.push_str(&format!("phone_home: {home}\n"));
    if let Some(password) = &installation.root_password {
        let users = json!([{"name": installation.login, "password": password, "type": "text"}]);
        let change = json!({"expire": false, "users": users});
        out.push_str(&format!("disable_root: false\nchpasswd: {change}\n"));
    }
    out
}

/// `network-config`, version 2: by hardware address, because what a system calls its interfaces nobody knows before. The first has
/// the device's addresses beside the one it is given at its start.
pub fn network_config(installation: &Installation) -> String {
    let mut out = String::from("version: 2\nethernets:\n");
    for (i, mac) in installation.macs.iter().enumerate() {
        let is_first = i == 0;
        out.push_str(&format!("  nic{i}:\n    match: {{macaddress: {}}}\n", text(&mac.to_string())));
        // Its own way out goes before the one it started by.
        out.push_str(&format!("    dhcp4: {is_first}\n    optional: true\n"));
        if !is_first {
            continue;
        }
        out.push_str("    dhcp4-overrides: {route-metric: 1000}\n");
        let addresses: Vec<String> = installation.addresses.iter().map(|a| a.ip.to_string()).collect();
        out.push_str(&format!("    addresses: {}\n", json!(addresses)));
        // Of several ways out of one family the first public one is taken.
        let mut routes: Vec<Value> = Vec::new();
        for family in [true, false] {
            let mut ways = installation.addresses.iter().filter(|a| a.ip.ip().is_ipv4() == family && a.public);
            if let Some(via) = ways.find_map(|a| a.gateway) {
                let to = if family { "0.0.0.0/0" } else { "::/0" };
                routes.push(json!({"to": to, "via": via.to_string(), "on-link": true}));
            }
        }
        out.push_str(&format!("    routes: {}\n", json!(routes)));
    }
    out
}

#[cfg(test)]
mod tests {
    use meetme_app::devices::machine::OwnAddress;
    use meetme_base::MacAddr;
    use meetme_model::place::{ImageForm, ImageSource};

    use super::*;

    fn installation() -> Installation {
        let address = |ip: &str, gateway: &str, public| OwnAddress {
            ip: ip.parse().unwrap(),
            gateway: gateway.parse().ok(),
            public,
        };
        Installation {
            uid: "11111111-1111-4111-8111-111111111111".into(),
            number: 2,
            hostname: "one.example".into(),
            source: Some(ImageSource {
                url: "http://198.18.0.1:8081/files/tiny.raw.gz".into(),
                sha256: "0A".repeat(32),
                form: ImageForm::Gzip,
            }),
            keep_disks: false,
            root_password: Some("s3cret\"".into()),
            login: "root".into(),
            userdata: None,
            keys: vec!["ssh-ed25519 AAAA \"me\"".into()],
            macs: vec![MacAddr([2, 0, 0x5e, 0x10, 0, 1]), MacAddr([2, 0, 0x5e, 0x10, 0, 2])],
            addresses: vec![
                address("203.0.113.1/31", "203.0.113.0", true),
                address("2001:db8::1/127", "2001:db8::", true),
                address("10.0.0.1/31", "10.0.0.0", false),
            ],
        }
    }

    #[test]
    fn the_files_of_the_first_start_say_who_it_is_and_hold_no_text_that_could_be_more() {
        let one = installation();
        insta::assert_snapshot!(meta_data(&one), @r#"
        instance-id: "11111111-1111-4111-8111-111111111111-2"
        local-hostname: "one.example"
        public-keys:
          - "ssh-ed25519 AAAA \"me\""
        "#);
        insta::assert_snapshot!(vendor_data(&one, "http://198.18.0.1:8081"), @r##"
        #cloud-config
        phone_home: {"url":"http://198.18.0.1:8081/phone-home","post":["instance_id"],"tries":30}
        disable_root: false
        chpasswd: {"expire":false,"users":[{"name":"root","password":"s3cret\"","type":"text"}]}
        "##);
        insta::assert_snapshot!(network_config(&one), @r#"
        version: 2
        ethernets:
          nic0:
            match: {macaddress: "02:00:5e:10:00:01"}
            dhcp4: true
            optional: true
            dhcp4-overrides: {route-metric: 1000}
            addresses: ["203.0.113.1/31","2001:db8::1/127","10.0.0.1/31"]
            routes: [{"to":"0.0.0.0/0","via":"203.0.113.0","on-link":true},{"to":"::/0","via":"2001:db8::","on-link":true}]
          nic1:
            match: {macaddress: "02:00:5e:10:00:02"}
            dhcp4: false
            optional: true
        "#);
    }

    #[test]
    fn a_plan_is_for_a_shell_and_holds_nothing_that_runs() {
        let one = installation();
        assert_eq!(
            plan(&one).unwrap(),
            format!(
                "action=install\nimage_url='http://198.18.0.1:8081/files/tiny.raw.gz'\nimage_sha256={}\nimage_form=gzip\nkeep_disks=0\n",
                "0a".repeat(32)
            )
        );
        let mut bad = installation();
        bad.source.as_mut().unwrap().url = "http://x/'; reboot; '".into();
        assert_eq!(plan(&bad), None);
        assert_eq!(plan(&Installation { source: None, ..one }), None);
    }
}
