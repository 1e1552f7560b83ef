//! Clients of the Packet dialect as they are published, against the running server.

use crate::kit::{Server, python};

/// Runs a script against a demo world of its own, over HTTP and HTTPS; all its things must hold.
async fn holds(script: &str, text: &str) {
    let python = match python::python() {
        Ok(python) => python,
        Err(skip) => return skip.report(),
    };
    let secure = [
        ("MEETME__SERVER__TLS__LISTEN", r#"["127.0.0.1:0"]"#),
        ("MEETME__SERVER__TLS__SELF_SIGNED", r#"["127.0.0.1"]"#),
    ];
    let server = Server::with(&secure).await;
    let certificate = server.secret("/https/certificate");
    let environment = [
        ("URL", server.base.as_str()),
        ("DOOR", server.secret("/https/base_url").strip_prefix("https://").unwrap()),
        ("REQUESTS_CA_BUNDLE", certificate),
        ("SSL_CERT_FILE", certificate),
        ("TOKEN", server.secret("/packet/token")),
    ];
    let said = python::script(&python, script, &environment).await;
    // The script says at its end how many things held; one that ended before its end said nothing.
    let things = text.matches("\n@thing\n").count();
    assert_eq!(said.lines().last(), Some(format!("{things} held").as_str()), "{said}");
}

#[tokio::test]
async fn packet_python_does_everything_it_can() {
    holds("packet_python.py", include_str!("../../../tests/clients/packet_python.py")).await;
}

#[tokio::test]
async fn libcloud_does_everything_it_can() {
    holds("packet_libcloud.py", include_str!("../../../tests/clients/packet_libcloud.py")).await;
}

#[tokio::test]
async fn equinix_metal_does_everything_it_can() {
    holds("packet_equinix.py", include_str!("../../../tests/clients/packet_equinix.py")).await;
}
