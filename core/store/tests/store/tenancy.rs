//! The tenant tree.

use meetme_base::RawId;
use meetme_store::{Error, Filter};

use crate::{
    kinds::{Org, Site},
    world::{World, on_both},
};

fn node(w: &World, parent: RawId, name: &str) -> RawId {
    let name = name.to_owned();
    w.write(move |tx| Ok(tx.create(parent, Org::named(&name))?.id.any())).unwrap()
}

#[test]
fn a_node_knows_what_is_above_and_below_it() {
    on_both(|w| {
        let a = node(w, w.org, "a");
        let b = node(w, a, "b");
        let c = node(w, w.org, "c");
        let root = w.org;
        w.read(move |tx| {
            let mut above = tx.above(b)?;
            above.sort();
            assert_eq!(above, [root, a, b]);
            assert_eq!(tx.below(root)?, [root, a, b, c]);
            assert_eq!(tx.below(a)?, [a, b]);
            assert!(tx.is_below(b, root)? && tx.is_below(b, b)? && !tx.is_below(root, b)? && !tx.is_below(c, a)?);
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn a_row_is_hung_on_another_node_as_it_is() {
    on_both(|w| {
        let (a, b, root) = (node(w, w.org, "a"), node(w, w.org, "b"), w.org);
        let site = w.write(move |tx| tx.create(a, Site::named("x"))).unwrap();
        let (first, stale) = (site.clone(), site.clone());
        let moved = w.write(move |tx| {
            let mut row = first.clone();
            tx.rehang(&mut row, b)?;
            Ok(row)
        });
        let moved = moved.unwrap();
        assert_eq!((moved.tenant, moved.version, &moved.spec), (b, 2, &site.spec));
        let id = site.id;
        assert_eq!(w.read(move |tx| tx.get(id)).unwrap(), moved);
        let error = w.write(move |tx| tx.rehang(&mut stale.clone(), root));
        assert!(matches!(error, Err(Error::Stale { version: 2 })), "{error:?}");
        let lost = moved.clone();
        let nowhere = w.write(move |tx| tx.rehang(&mut lost.clone(), RawId::new(999_999)));
        assert!(matches!(nowhere, Err(Error::Invalid(_))), "{nowhere:?}");
    });
}

#[test]
fn rows_are_found_below_and_above_a_node() {
    on_both(|w| {
        let a = node(w, w.org, "a");
        let b = node(w, a, "b");
        for (on, name) in [(w.org, "root"), (a, "a"), (b, "b")] {
            w.write(move |tx| tx.create(on, Site::named(name))).unwrap();
        }
        let found = |filter: Filter| {
            let names = move |tx: &mut meetme_store::Tx<'_>| {
                Ok(tx.all::<Site>(filter.clone())?.into_iter().map(|s| s.spec.name).collect::<Vec<_>>())
            };
            w.read(names).unwrap()
        };
        assert_eq!(found(Filter::Below(a)), ["a", "b"]);
        assert_eq!(found(Filter::Above(a)), ["root", "a"]);
        assert_eq!(found(Filter::Below(RawId::new(0))), Vec::<String>::new());
        let removed = w.write(move |tx| {
            for site in tx.all::<Site>(Filter::Below(b))? {
                tx.remove(site.id)?;
            }
            tx.remove::<Org>(b.of())
        });
        removed.unwrap();
        let root = w.org;
        assert_eq!(w.read(move |tx| tx.below(root)).unwrap(), [root, a]);
    });
}

#[test]
fn a_node_moves_with_everything_below_it() {
    on_both(|w| {
        let (a, b) = (node(w, w.org, "a"), node(w, w.org, "b"));
        let low = node(w, a, "low");
        let lowest = node(w, low, "lowest");
        w.write(move |tx| tx.create(lowest, Site::named("deep"))).unwrap();
        let root = w.org;
        let sites = |node: RawId| w.read(move |tx| tx.count::<Site>(&Filter::Below(node))).unwrap();
        // The counts are asked before too: what is remembered of them must not outlive the move.
        assert_eq!((sites(a), sites(b), sites(root)), (1, 0, 1));
        w.write(move |tx| tx.transplant(low, b)).unwrap();
        assert_eq!((sites(a), sites(b), sites(root)), (0, 1, 1));
        w.read(move |tx| {
            let mut above = tx.above(lowest)?;
            above.sort();
            assert_eq!(above, [root, b, low, lowest]);
            assert_eq!((tx.below(a)?, tx.below(b)?), (vec![a], vec![b, low, lowest]));
            Ok(())
        })
        .unwrap();
        let refused = w.write(move |tx| tx.transplant(b, lowest)).unwrap_err();
        assert!(refused.to_string().contains("below itself"), "{refused}");
        assert!(w.write(move |tx| tx.transplant(RawId::new(99_999), b)).is_err());
        assert!(w.write(move |tx| tx.transplant(low, RawId::new(99_999))).is_err());
    });
}
