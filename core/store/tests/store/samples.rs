//! Time series.

use meetme_base::{Clock as _, RawId, Time};
use meetme_store::{Sample, Step};

use crate::world::{START, World, on_both};

fn all(w: &World, id: RawId, step: Step) -> Vec<Sample> {
    w.read(move |tx| tx.samples(id, "n", step, Time(0), Time(i64::MAX))).unwrap()
}

#[test]
fn readings_are_kept_in_steps_that_know_the_last_one() {
    on_both(|w| {
        let id = w.site("a").id.any();
        for value in [5, 7] {
            w.write(move |tx| tx.keep_reading(id, "n", value)).unwrap();
        }
        w.clock.step_seconds(60);
        w.write(move |tx| tx.keep_reading(id, "n", 9)).unwrap();
        w.write(move |tx| tx.keep_reading(id, "other", 1)).unwrap();
        let minutes = all(w, id, Step::Minute);
        assert_eq!(minutes.iter().map(|s| s.last).collect::<Vec<_>>(), [7, 9]);
        assert!(minutes.iter().all(|s| s.at.0 % 60_000 == 0 && s.at <= w.clock.now()));
        assert_eq!(all(w, id, Step::Day).iter().map(|s| s.last).collect::<Vec<_>>(), [9]);
    });
}

#[test]
fn an_amount_is_shared_out_over_its_time_and_adds_up() {
    on_both(|w| {
        let id = w.site("a").id.any();
        let from = Time(START.0 - 150_000);
        w.write(move |tx| tx.keep_amount(id, "n", from, START, 1_000_003)).unwrap();
        for step in Step::ALL {
            assert_eq!(all(w, id, step).iter().map(|s| s.sum).sum::<i64>(), 1_000_003, "{step:?}");
        }
        let minutes = all(w, id, Step::Minute);
        assert!((3..=4).contains(&minutes.len()), "{minutes:?}");
        // What took days is in days only.
        let long = Time(START.0 - 10 * Step::Day.millis());
        let other = w.site("b").id.any();
        w.write(move |tx| tx.keep_amount(other, "n", long, START, 1000)).unwrap();
        assert_eq!(all(w, other, Step::Minute), []);
        assert_eq!(all(w, other, Step::Day).iter().map(|s| s.sum).sum::<i64>(), 1000);
        w.write(move |tx| tx.keep_amount(other, "n", START, START, 5)).unwrap();
    });
}

#[test]
fn a_series_is_bounded_and_goes_with_its_object() {
    on_both(|w| {
        let site = w.site("a");
        let id = site.id.any();
        for _ in 0..5 {
            w.write(move |tx| tx.keep_reading(id, "n", 1)).unwrap();
            w.clock.step_seconds(86_400);
        }
        assert_eq!((all(w, id, Step::Minute).len(), all(w, id, Step::Hour).len()), (2, 5));
        w.write(move |tx| tx.remove(site.id)).unwrap();
        assert_eq!(all(w, id, Step::Day), []);
    });
}
