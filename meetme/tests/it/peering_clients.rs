//! Clients of the Peering Manager dialect as they are published, against the running server.

use crate::kit::{Server, python};

#[tokio::test]
async fn pypeeringmanager_does_everything_it_can() {
    let python = match python::python() {
        Ok(python) => python,
        Err(skip) => return skip.report(),
    };
    let server = Server::demo().await;
    let environment = [("URL", server.base.as_str()), ("TOKEN", server.secret("/peering_manager/token"))];
    let said = python::script(&python, "peering.py", &environment).await;
    // The script says at its end how many things held; one that ended before its end said nothing.
    let things = include_str!("../../../tests/clients/peering.py").matches("\n@thing\n").count();
    assert_eq!(said.lines().last(), Some(format!("{things} held").as_str()), "{said}");
}

#[tokio::test]
async fn the_document_of_the_peering_dialect_is_valid() {
    let python = match python::python() {
        Ok(python) => python,
        Err(skip) => return skip.report(),
    };
    let server = Server::demo().await;
    let environment = [("URL", server.base.as_str()), ("TOKEN", server.secret("/peering_manager/token"))];
    let said = python::script(&python, "schema.py", &environment).await;
    let operations: usize = said.trim().parse().unwrap_or_else(|_| panic!("{said}"));
    assert!(operations > 150, "{operations}");
}
