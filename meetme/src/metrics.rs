//! What controllers did, for `/metrics`.

use meetme_control::Counters;
use meetme_http::Metrics;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter},
};

/// Adds the controllers' counters.
pub fn register(metrics: &Metrics, counters: Counters) {
    metrics.register(|registry| registry.register_collector(Box::new(Passes(counters))));
}

/// How many passes of controllers ended how: `meetme_controller_passes_total{controller, outcome}`.
#[derive(Debug)]
struct Passes(Counters);

impl Collector for Passes {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let mut encoder = encoder.encode_descriptor(
            "meetme_controller_passes",
            "Passes of controllers by how they ended",
            None,
            MetricType::Counter,
        )?;
        for (controller, outcome, passes) in self.0.passes() {
            let labels = [("controller", controller), ("outcome", outcome)];
            ConstCounter::new(passes).encode(encoder.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
