//! How each BGP session is, for `/metrics`. What is told is read from the store every so often and kept, so that being asked costs the
//! store nothing; how many sessions are told of is limited, because each is a line of its own for whoever collects them.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use meetme_app::{App, Error};
use meetme_base::Id;
use meetme_model::{
    BfdState, BgpState, PeerStatus,
    routing::{DirectSession, Exchange, ExchangeLink, ExchangeSession, Router},
};
use meetme_store::{Context, Filter, Query, Tx};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use tokio_util::sync::CancellationToken;

use crate::config::MetricsConfig;

/// What is known of sessions.
#[derive(Clone, Debug, Default)]
pub struct Sessions {
    seen: Arc<RwLock<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    rows: Vec<Row>,
    left_out: u64,
}

#[derive(Debug)]
struct Row {
    router: String,
    asn: String,
    address: String,
    exchange: String,
    status: PeerStatus,
}

/// A number that is told of each session: its name, what it means, and how it is read; none is told where there is none.
type Told = (&'static str, &'static str, fn(&PeerStatus) -> Option<i64>);

const TOLD: &[Told] = &[
    ("meetme_session_up", "Whether the session is established", |s| Some((s.state? == BgpState::Established).into())),
    ("meetme_session_state", "The state of the session, from 1 for idle to 6 for established (RFC 4273)", |s| {
        Some(s.state? as i64 + 1)
    }),
    ("meetme_session_bfd_up", "Whether the path to the peer is up, where it is watched (RFC 5880)", |s| {
        Some((s.bfd? == BfdState::Up).into())
    }),
    ("meetme_session_received_prefixes", "Prefixes that the peer sends", |s| Some(s.received.into())),
    ("meetme_session_accepted_prefixes", "Prefixes of the peer that passed the import policy", |s| {
        Some(s.accepted.into())
    }),
    ("meetme_session_advertised_prefixes", "Prefixes that the peer is told", |s| Some(s.advertised.into())),
    ("meetme_session_since_timestamp_seconds", "When the session entered its state", |s| Some(s.since?.seconds())),
];

impl Sessions {
    /// Reads the sessions anew every so often, until the server stops.
    pub async fn watch(self, app: App, config: MetricsConfig, stop: CancellationToken) {
        loop {
            match read(&app, config.session_limit).await {
                Ok(seen) => *self.seen.write().unwrap_or_else(PoisonError::into_inner) = seen,
                Err(e) => tracing::warn!(error = %e, "the sessions cannot be read for the metrics"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(config.session_seconds.max(1))) => {}
            }
        }
    }
}

async fn read(app: &App, limit: u32) -> Result<Seen, Error> {
    app.store().read(Context::system(), move |tx| look(tx, limit)).await
}

fn look(tx: &mut Tx<'_>, limit: u32) -> Result<Seen, Error> {
    let page = |limit| Query { limit, ..Query::of(Filter::All) };
    let all = tx.count::<ExchangeSession>(&Filter::All)? + tx.count::<DirectSession>(&Filter::All)?;
    let across = tx.list::<ExchangeSession>(&page(limit))?;
    let left = limit.saturating_sub(u32::try_from(across.len()).unwrap_or(u32::MAX));
    let direct = tx.list::<DirectSession>(&page(left))?;
    let links =
        tx.many::<ExchangeLink>(across.iter().map(|s| s.spec.link).chain(direct.iter().filter_map(|s| s.spec.link)))?;
    let exchanges = tx.many::<Exchange>(links.values().filter_map(|link| link.spec.exchange))?;
    let routers = links.values().filter_map(|link| link.spec.router).chain(direct.iter().filter_map(|s| s.spec.router));
    let routers = tx.many::<Router>(routers.collect::<Vec<_>>())?;
    let name =
        |id: Option<Id<Router>>| id.and_then(|id| routers.get(&id)).map(|r| r.spec.name.clone()).unwrap_or_default();
    let of_link = |id: Option<Id<ExchangeLink>>| {
        let link = id.and_then(|id| links.get(&id));
        let exchange = link.and_then(|l| l.spec.exchange).and_then(|id| exchanges.get(&id));
        (link.and_then(|l| l.spec.router), exchange.map(|e| e.spec.name.clone()).unwrap_or_default())
    };
    let mut rows = Vec::with_capacity(across.len() + direct.len());
    for session in across {
        let (router, exchange) = of_link(Some(session.spec.link));
        let (asn, address) = (session.spec.peer.asn.to_string(), session.spec.ip.to_string());
        rows.push(Row { router: name(router), asn, address, exchange, status: session.status });
    }
    for session in direct {
        let (router, exchange) = of_link(session.spec.link);
        let (asn, address) = (session.spec.peer.asn.to_string(), session.spec.ip.ip().to_string());
        rows.push(Row { router: name(session.spec.router.or(router)), asn, address, exchange, status: session.status });
    }
    Ok(Seen { left_out: all.saturating_sub(rows.len() as u64), rows })
}

impl Row {
    fn labels(&self) -> [(&'static str, &str); 4] {
        [("router", &self.router), ("peer_asn", &self.asn), ("address", &self.address), ("exchange", &self.exchange)]
    }
}

impl Collector for Sessions {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        for (name, help, get) in TOLD {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for row in &seen.rows {
                if let Some(value) = get(&row.status) {
                    ConstGauge::new(value).encode(family.encode_family(&row.labels())?)?;
                }
            }
        }
        let help = "How often the session went down";
        let mut family = encoder.encode_descriptor("meetme_session_flaps", help, None, MetricType::Counter)?;
        for row in &seen.rows {
            ConstCounter::new(u64::from(row.status.flaps)).encode(family.encode_family(&row.labels())?)?;
        }
        let help = "Sessions that are not told of, because there are more than the limit";
        let left_out = encoder.encode_descriptor("meetme_sessions_left_out", help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::try_from(seen.left_out).unwrap_or(i64::MAX)).encode(left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meetme_base::Time;

    #[test]
    fn each_session_is_told_of_by_its_router_peer_address_and_exchange() {
        let up = PeerStatus {
            state: Some(BgpState::Established),
            received: 7,
            flaps: 2,
            bfd: Some(BfdState::Down),
            since: Some(Time(5_000)),
            ..PeerStatus::default()
        };
        let row = |address: &str, status| Row {
            router: "edge1".into(),
            asn: "64500".into(),
            address: address.into(),
            exchange: "Some IX".into(),
            status,
        };
        let sessions = Sessions::default();
        *sessions.seen.write().unwrap() =
            Seen { rows: vec![row("192.0.2.1", up), row("192.0.2.2", PeerStatus::default())], left_out: 3 };
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register_collector(Box::new(sessions));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let labels = r#"{router="edge1",peer_asn="64500",address="192.0.2.1",exchange="Some IX"}"#;
        for line in [
            format!("meetme_session_up{labels} 1"),
            format!("meetme_session_state{labels} 6"),
            format!("meetme_session_bfd_up{labels} 0"),
            format!("meetme_session_received_prefixes{labels} 7"),
            format!("meetme_session_flaps_total{labels} 2"),
            format!("meetme_session_since_timestamp_seconds{labels} 5"),
            "meetme_sessions_left_out 3".to_owned(),
        ] {
            assert!(text.contains(&line), "{line}\nis not in\n{text}");
        }
        let unseen = text.lines().filter(|line| line.contains("192.0.2.2") && line.starts_with("meetme_session_up"));
        assert_eq!(unseen.count(), 0, "what nobody has looked at is neither up nor down");
    }
}
