//! What is counted. Labels come from closed sets only: the operation tables, and five classes of status.
//!
//! Counters live in one array laid out when the server is built, so that counting is a few atomic additions without a lock
//! or a look-up. The registry of `prometheus-client` reads them when somebody asks, and takes whatever else is to be shown.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::StatusCode;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

/// Upper ends of the duration buckets in microseconds.
const BUCKETS: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The server's own counters, and the registry others add theirs to.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    pub(crate) counts: Arc<Counts>,
}

/// One row for each operation, in the order of the tables.
pub(crate) struct Counts {
    rows: Vec<Row>,
    in_flight: AtomicI64,
}

#[derive(Default)]
struct Row {
    dialect: &'static str,
    op: &'static str,
    classes: [AtomicU64; 5],
    buckets: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

impl Metrics {
    pub(crate) fn new(rows: impl Iterator<Item = (&'static str, &'static str)>) -> Self {
        let rows = rows.map(|(dialect, op)| Row { dialect, op, ..Row::default() }).collect();
        let counts = Arc::new(Counts { rows, in_flight: AtomicI64::new(0) });
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(&counts)));
        Self { registry: Arc::new(Mutex::new(registry)), counts }
    }
    /// Adds metrics of another part of the program. Names follow `meetme_<noun>_<unit>`.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }
    /// Everything in the text form that Prometheus reads.
    ///
    /// # Errors
    /// When a collector fails to write.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(
            &mut text,
            &self.registry.lock().unwrap_or_else(PoisonError::into_inner),
        )?;
        Ok(text)
    }
}

impl Counts {
    /// Counts one answer of this row.
    pub fn answered(&self, row: usize, status: StatusCode, took: Duration) {
        let Some(row) = self.rows.get(row) else { return };
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        row.classes[class].fetch_add(1, Relaxed);
        row.buckets[BUCKETS.partition_point(|end| *end < micros)].fetch_add(1, Relaxed);
        row.micros.fetch_add(micros, Relaxed);
    }
    /// Counts a request as under way for as long as the value lives.
    pub fn enter(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(&self.in_flight)
    }
}

/// A request under way.
pub(crate) struct InFlight<'a>(&'a AtomicI64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl fmt::Debug for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counts({} rows)", self.rows.len())
    }
}

impl Collector for Counts {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let help = "Requests answered, by dialect, operation and class of status";
        let mut family = encoder.encode_descriptor("meetme_http_requests", help, None, MetricType::Counter)?;
        for row in &self.rows {
            for (class, count) in CLASSES.iter().zip(&row.classes) {
                let count = count.load(Relaxed);
                if count > 0 {
                    let labels = [("dialect", row.dialect), ("op", row.op), ("class", *class)];
                    ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
                }
            }
        }
        let help = "Time from the head of a request to the head of its answer";
        let mut family =
            encoder.encode_descriptor("meetme_http_request_duration_seconds", help, None, MetricType::Histogram)?;
        for row in &self.rows {
            let counts: Vec<u64> = row.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
            let total: u64 = counts.iter().sum();
            if total == 0 {
                continue;
            }
            let ends = BUCKETS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = ends.zip(counts).collect();
            let labels = [("dialect", row.dialect), ("op", row.op)];
            let sum = row.micros.load(Relaxed) as f64 / 1e6;
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, total, &buckets, None)?;
        }
        let gauge = encoder.encode_descriptor(
            "meetme_http_requests_in_flight",
            "Requests being answered now",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(self.in_flight.load(Relaxed)).encode(gauge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_operation_and_class_and_time() {
        let metrics = Metrics::new([("alpha", "get"), ("alpha", "put")].into_iter());
        let under_way = metrics.counts.enter();
        metrics.counts.answered(0, StatusCode::OK, Duration::from_micros(200));
        metrics.counts.answered(0, StatusCode::OK, Duration::from_millis(3));
        metrics.counts.answered(0, StatusCode::NOT_FOUND, Duration::from_secs(60));
        let text = metrics.text().unwrap();
        for line in [
            r#"meetme_http_requests_total{dialect="alpha",op="get",class="2xx"} 2"#,
            r#"meetme_http_requests_total{dialect="alpha",op="get",class="4xx"} 1"#,
            r#"meetme_http_request_duration_seconds_bucket{le="0.0001",dialect="alpha",op="get"} 0"#,
            r#"meetme_http_request_duration_seconds_bucket{le="0.005",dialect="alpha",op="get"} 2"#,
            r#"meetme_http_request_duration_seconds_bucket{le="+Inf",dialect="alpha",op="get"} 3"#,
            r#"meetme_http_request_duration_seconds_count{dialect="alpha",op="get"} 3"#,
            "meetme_http_requests_in_flight 1",
        ] {
            assert!(text.contains(line), "{line}\nis not in\n{text}");
        }
        assert!(!text.contains("put"));
        drop(under_way);
        assert!(metrics.text().unwrap().contains("in_flight 0"));
    }
}
