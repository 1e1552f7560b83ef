//! The daemon's gRPC interface: one method for each operation, each with a deadline and a bounded answer.

use std::time::Duration;

use http::uri::PathAndQuery;
use meetme_agent::AgentError;
use prost::Message;
use tokio::time::timeout;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use crate::{settings::Settings, wire::*};

/// The largest single message in either direction: all policies of a large route server are one.
const LARGEST_MESSAGE: usize = 128 << 20;

/// An open connection to a daemon.
#[derive(Clone)]
pub struct Api {
    grpc: Grpc<Channel>,
    name: String,
    deadline: Duration,
}

impl Api {
    /// Connects to the daemon that the settings name.
    pub async fn connect(settings: &Settings) -> Result<Self, AgentError> {
        let deadline = settings.answer_time();
        let endpoint = Endpoint::from_shared(settings.api.clone())
            .map_err(|e| AgentError::refused(format!("{} is no address of an interface: {e}.", settings.api)))?;
        let channel = match timeout(deadline, endpoint.connect_timeout(deadline).connect()).await {
            Err(_) => return Err(late(&settings.api, "take a connection", deadline)),
            Ok(Err(e)) => {
                return Err(AgentError::unreachable(format!(
                    "gobgpd at {} cannot be reached: {}.",
                    settings.api,
                    chain(&e)
                )));
            }
            Ok(Ok(channel)) => channel,
        };
        let grpc =
            Grpc::new(channel).max_decoding_message_size(LARGEST_MESSAGE).max_encoding_message_size(LARGEST_MESSAGE);
        Ok(Self { grpc, name: settings.api.clone(), deadline })
    }

    /// Asks one question that has one answer.
    async fn ask<Q, A>(&mut self, method: &'static str, question: Q) -> Result<A, AgentError>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let work = async {
            self.grpc.ready().await.map_err(|e| Status::unavailable(chain(&e)))?;
            let codec = ProstCodec::<Q, A>::default();
            self.grpc.unary(Request::new(question), path(method), codec).await
        };
        match timeout(self.deadline, work).await {
            Err(_) => Err(late(&self.name, &format!("answer {method}"), self.deadline)),
            Ok(Err(status)) => Err(failed(&self.name, method, &status)),
            Ok(Ok(answer)) => Ok(answer.into_inner()),
        }
    }

    /// Asks a question whose answer comes in parts, and hands each part on until there are `most`. True when that was all.
    async fn each<Q, A>(
        &mut self,
        method: &'static str,
        question: Q,
        most: usize,
        mut take: impl FnMut(A),
    ) -> Result<bool, AgentError>
    where
        Q: Message + Default + 'static,
        A: Message + Default + 'static,
    {
        let work = async {
            self.grpc.ready().await.map_err(|e| Status::unavailable(chain(&e)))?;
            let codec = ProstCodec::<Q, A>::default();
            let answer = self.grpc.server_streaming(Request::new(question), path(method), codec).await?;
            let mut parts = answer.into_inner();
            let mut count = 0;
            while let Some(part) = parts.message().await? {
                if count == most {
                    return Ok(false);
                }
                count += 1;
                take(part);
            }
            Ok(true)
        };
        match timeout(self.deadline, work).await {
            Err(_) => Err(late(&self.name, &format!("answer {method}"), self.deadline)),
            Ok(Err(status)) => Err(failed(&self.name, method, &status)),
            Ok(Ok(is_whole)) => Ok(is_whole),
        }
    }

    /// The daemon as a whole.
    pub async fn global(&mut self) -> Result<Global, AgentError> {
        Ok(self.ask::<_, GetBgp>("GetBgp", Empty {}).await?.global.unwrap_or_default())
    }
    /// Starts the daemon's BGP.
    pub async fn start(&mut self, global: Global) -> Result<(), AgentError> {
        self.ask::<_, Empty>("StartBgp", StartBgp { global: Some(global) }).await.map(drop)
    }
    /// Ends the daemon's BGP, with all sessions, routes and policies.
    pub async fn stop(&mut self) -> Result<(), AgentError> {
        self.ask::<_, Empty>("StopBgp", Empty {}).await.map(drop)
    }

    /// Every peer, or the one with this address. What is advertised is counted only if it is asked for, because the daemon
    /// works it out from the whole table.
    pub async fn peers(&mut self, address: &str, advertised: bool) -> Result<Vec<Peer>, AgentError> {
        let mut all = Vec::new();
        let question = ListPeer { address: address.to_owned(), enable_advertised: advertised };
        self.each("ListPeer", question, usize::MAX, |a: PeerRequest| all.extend(a.peer)).await?;
        Ok(all)
    }
    /// Adds a peer.
    pub async fn add_peer(&mut self, peer: Peer) -> Result<(), AgentError> {
        self.ask::<_, Empty>("AddPeer", PeerRequest { peer: Some(peer) }).await.map(drop)
    }
    /// Changes a peer.
    pub async fn update_peer(&mut self, peer: Peer) -> Result<(), AgentError> {
        // The answer says whether a soft reset is due, which is ours to decide.
        self.ask::<_, Empty>("UpdatePeer", PeerRequest { peer: Some(peer) }).await.map(drop)
    }
    /// Takes a peer away.
    pub async fn delete_peer(&mut self, address: &str) -> Result<(), AgentError> {
        self.ask::<_, Empty>("DeletePeer", AddressRequest { address: address.to_owned() }).await.map(drop)
    }
    /// Switches a peer on or off. The daemon does it a moment later.
    pub async fn switch_peer(&mut self, address: &str, on: bool) -> Result<(), AgentError> {
        let method = if on { "EnablePeer" } else { "DisablePeer" };
        self.ask::<_, Empty>(method, AddressRequest { address: address.to_owned() }).await.map(drop)
    }
    /// Has what a peer sent, or is sent, go through the policies again.
    pub async fn refresh(&mut self, address: &str, out: bool) -> Result<(), AgentError> {
        let question = ResetPeer { address: address.to_owned(), soft: true, direction: i32::from(out) };
        self.ask::<_, Empty>("ResetPeer", question).await.map(drop)
    }

    /// Every defined set of a kind.
    pub async fn defined_sets(&mut self, kind: i32) -> Result<Vec<DefinedSet>, AgentError> {
        let mut all = Vec::new();
        let question = ListDefinedSet { defined_type: kind };
        self.each("ListDefinedSet", question, usize::MAX, |a: DefinedSetAnswer| all.extend(a.defined_set)).await?;
        Ok(all)
    }
    /// Every policy.
    pub async fn policies(&mut self) -> Result<Vec<Policy>, AgentError> {
        let mut all = Vec::new();
        self.each("ListPolicy", Empty {}, usize::MAX, |a: PolicyAnswer| all.extend(a.policy)).await?;
        Ok(all)
    }
    /// Which policies every table goes through.
    pub async fn assignments(&mut self) -> Result<Vec<PolicyAssignment>, AgentError> {
        let mut all = Vec::new();
        self.each("ListPolicyAssignment", Empty {}, usize::MAX, |a: Assign| all.extend(a.assignment)).await?;
        Ok(all)
    }
    /// Adds a policy.
    pub async fn add_policy(&mut self, policy: Policy) -> Result<(), AgentError> {
        self.ask::<_, Empty>("AddPolicy", AddPolicy { policy: Some(policy) }).await.map(drop)
    }
    /// Puts these sets and policies in the place of all that are there, in one step.
    pub async fn set_policies(&mut self, all: SetPolicies) -> Result<(), AgentError> {
        self.ask::<_, Empty>("SetPolicies", all).await.map(drop)
    }
    /// Says which policies a table goes through.
    pub async fn assign(&mut self, assignment: PolicyAssignment) -> Result<(), AgentError> {
        self.ask::<_, Empty>("SetPolicyAssignment", Assign { assignment: Some(assignment) }).await.map(drop)
    }

    /// Announces a route.
    pub async fn add_path(&mut self, path: Path) -> Result<(), AgentError> {
        self.ask::<_, Empty>("AddPath", AddPath { table_type: table::GLOBAL, path: Some(path) }).await.map(drop)
    }
    /// Announces a route no longer.
    pub async fn delete_path(&mut self, path: Path) -> Result<(), AgentError> {
        let family = path.family.clone();
        let question = DeletePath { table_type: table::GLOBAL, family, path: Some(path) };
        self.ask::<_, Empty>("DeletePath", question).await.map(drop)
    }
    /// How many routes the daemon has in its main table.
    pub async fn table_size(&mut self, family: Family) -> Result<u64, AgentError> {
        let question = GetTable { table_type: table::GLOBAL, family: Some(family), name: String::new() };
        Ok(self.ask::<_, TableAnswer>("GetTable", question).await?.num_path)
    }
    /// The routes of a table, each handed on as it comes; false when there are more than `most`.
    pub async fn paths(
        &mut self,
        question: ListPath,
        most: usize,
        mut take: impl FnMut(Destination),
    ) -> Result<bool, AgentError> {
        self.each("ListPath", question, most, |a: PathAnswer| {
            if let Some(destination) = a.destination {
                take(destination);
            }
        })
        .await
    }
}

fn path(method: &'static str) -> PathAndQuery {
    PathAndQuery::try_from(format!("/apipb.GobgpApi/{method}")).expect("letters and slashes make a path")
}

fn late(name: &str, what: &str, deadline: Duration) -> AgentError {
    AgentError::unreachable(format!("gobgpd at {name} did not {what} within {} s.", deadline.as_secs()))
}

/// What a failed call means. The daemon tells its own refusals without a code of their kind.
fn failed(name: &str, method: &str, status: &Status) -> AgentError {
    let words: String = status.message().chars().take(500).collect();
    let lost = matches!(status.code(), Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Aborted);
    // What the daemon itself says has no error behind it; a connection that breaks has, under whatever code.
    if lost || std::error::Error::source(status).is_some() {
        return AgentError::unreachable(format!("gobgpd at {name} broke off at {method}: {words}."));
    }
    match status.code() {
        Code::Unimplemented => AgentError::unsupported(format!(
            "What answers at {name} is not gobgpd 3: it does not know {method} of apipb.GobgpApi."
        )),
        _ => AgentError::refused(format!("gobgpd does not take {method}: {words}")),
    }
}

/// An error with what is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
