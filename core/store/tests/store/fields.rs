//! Callers who may change some fields only.

use std::sync::Arc;

use meetme_base::Kind;
use meetme_store::{Error, FieldRight, Fields, Filter, Object, Op, Resource, Scope};

use crate::{
    kinds::{Device, Site},
    world::{World, on_both},
};

/// May see, make and remove everything, and change devices as far as the fields let through.
#[derive(Debug)]
struct Partly {
    fields: Fields,
}

impl Scope for Partly {
    fn rows(&self, _: Kind, _: &'static str) -> Arc<Filter> {
        Arc::new(Filter::All)
    }
    fn fields(&self, kind: Kind) -> Option<Arc<Fields>> {
        (kind == Device::KIND).then(|| Arc::new(self.fields.clone()))
    }
}

fn right(rows: Filter, only: &[&str]) -> FieldRight {
    let only = (!only.is_empty()).then(|| only.iter().map(|name| (*name).to_owned()).collect());
    FieldRight { rows: Arc::new(rows), only }
}

fn scope(all_of: &[&[FieldRight]]) -> Arc<dyn Scope> {
    Arc::new(Partly { fields: Fields { all_of: all_of.iter().map(|rights| rights.to_vec()).collect() } })
}

fn device(w: &World) -> Object<Device> {
    let org = w.org;
    w.write(move |tx| tx.create(org, Device { name: "one".into(), size: Some(1), ..Device::default() })).unwrap()
}

/// Changes what is there, and answers the field that was refused.
fn change(w: &World, scope: &Arc<dyn Scope>, to: Device) -> Option<String> {
    let out = w.write_as(scope, move |tx| {
        let mut object = tx.one::<Device>(&Filter::All)?.ok_or_else(|| Error::missing(Device::KIND, "any"))?;
        tx.save(&mut object, to.clone())
    });
    match out {
        Ok(()) => None,
        Err(Error::DeniedField { kind: Device::KIND, field }) => Some(field),
        Err(e) => panic!("{e:?}"),
    }
}

#[test]
fn a_change_touches_only_the_fields_that_some_right_names() {
    on_both(|w| {
        let old = device(w).spec;
        let scope = scope(&[&[right(Filter::All, &["name"]), right(Filter::All, &["site"])]]);
        let named = Device { name: "two".into(), ..old.clone() };
        assert_eq!(change(w, &scope, Device { size: Some(2), ..named.clone() }), Some("size".to_owned()));
        assert_eq!(change(w, &scope, Device { size: None, ..old.clone() }), Some("size".to_owned()));
        assert_eq!(change(w, &scope, named.clone()), None);
        // Nothing of the refused change is left, and one that changes nothing is none.
        assert_eq!(w.read(|tx| Ok(tx.one::<Device>(&Filter::All)?.unwrap().spec)).unwrap(), named);
        assert_eq!(change(w, &scope, named), None);
    });
}

#[test]
fn a_right_counts_when_it_holds_before_and_after() {
    on_both(|w| {
        let old = device(w).spec;
        // Everything of small devices, the name of all.
        let small = Filter::is("size", Op::Le(5.into()));
        let scope = scope(&[&[right(small, &[]), right(Filter::All, &["name"])]]);
        let large = Device { size: Some(9), ..old.clone() };
        assert_eq!(change(w, &scope, large.clone()), Some("size".to_owned()));
        assert_eq!(change(w, &scope, Device { size: Some(4), ..old }), None);
        let to = large.clone();
        w.write(move |tx| {
            let mut object = tx.one::<Device>(&Filter::All)?.unwrap();
            tx.save(&mut object, to.clone())
        })
        .unwrap();
        assert_eq!(change(w, &scope, Device { size: Some(4), ..large.clone() }), Some("size".to_owned()));
        assert_eq!(change(w, &scope, Device { name: "n".into(), ..large }), None);
    });
}

#[test]
fn what_a_credential_is_cut_to_must_let_a_field_through_too() {
    on_both(|w| {
        let old = device(w).spec;
        let cut: &[FieldRight] = &[right(Filter::All, &["size"])];
        let scope = scope(&[&[right(Filter::All, &[])], cut]);
        assert_eq!(change(w, &scope, Device { name: "two".into(), ..old.clone() }), Some("name".to_owned()));
        assert_eq!(change(w, &scope, Device { size: Some(2), ..old }), None);
    });
}

#[test]
fn every_way_of_writing_asks_for_the_field() {
    on_both(|w| {
        let id = device(w).id;
        let scope = scope(&[&[right(Filter::All, &["name"])]]);
        let refused = |out: Result<(), Error>| matches!(out, Err(Error::DeniedField { field, .. }) if field == "size");
        assert!(refused(w.write_as(&scope, move |tx| {
            let kind = tx.registry().kind("device").unwrap();
            let mut spec = tx.get_any(kind, id.any())?.spec;
            spec["size"] = 7.into();
            tx.replace_any(kind, id.any(), None, spec).map(|_| ())
        })));
        assert!(refused(w.write_as(&scope, move |tx| {
            let mut object = tx.get(id)?;
            let spec = Device { size: None, ..object.spec.clone() };
            tx.attempt(|tx| tx.save(&mut object, spec))
        })));
        // A right to some fields is none that an operation could build on, which writes with more rights than its caller's.
        w.read_as(&scope, move |tx| {
            let node = tx.get(id)?.tenant;
            assert!(!tx.may(Device::KIND, "change", node)? && tx.may(Site::KIND, "change", node)?);
            assert!(tx.may(Device::KIND, "see", node)?);
            Ok(())
        })
        .unwrap();
        // That a removal takes a reference out of another row is the removal's doing.
        let org = w.org;
        w.write_as(&scope, move |tx| {
            let spare = Some(id.any());
            let other = tx.create(org, Device { name: "other".into(), spare, ..Device::default() })?;
            tx.remove(id)?;
            assert_eq!(tx.get(other.id)?.spec.spare, None);
            Ok(())
        })
        .unwrap();
    });
}
