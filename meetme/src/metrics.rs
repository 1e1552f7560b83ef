//! What controllers did, and how sessions are, for `/metrics`.

use meetme_control::Counters;
use meetme_http::Metrics;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter},
};

use crate::sessions::Sessions;

/// Adds the controllers' counters.
pub fn register(metrics: &Metrics, counters: Vec<Counters>) {
    metrics.register(|registry| registry.register_collector(Box::new(Passes(counters))));
}

/// Adds what is known of sessions.
pub fn register_sessions(metrics: &Metrics, sessions: Sessions) {
    metrics.register(|registry| registry.register_collector(Box::new(sessions)));
}

/// How many passes of controllers ended how: `meetme_controller_passes_total{controller, outcome}`.
#[derive(Debug)]
struct Passes(Vec<Counters>);

impl Collector for Passes {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut encoder = encoder.encode_descriptor(
            "meetme_controller_passes",
            "Passes of controllers by how they ended",
            None,
            MetricType::Counter,
        )?;
        for (controller, outcome, passes) in self.0.iter().flat_map(Counters::passes) {
            let labels = [("controller", controller), ("outcome", outcome)];
            ConstCounter::new(passes).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
