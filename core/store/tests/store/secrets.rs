//! Sealed values: in the row, and nowhere else.

use serde_json::json;

use crate::{kinds::Vault, log::of, world::on_both};

#[test]
fn a_sealed_value_is_shown_to_nobody_and_comes_back_unharmed() {
    on_both(|w| {
        let (org, site) = (w.org, w.site("a").id.any());
        let vault = w.write(move |tx| tx.create(org, Vault::with("v", "hunter2", Some(site)))).unwrap();
        let id = vault.id;
        let shown = w.read(move |tx| tx.get_any(tx.registry().kind("vault").unwrap(), id.any())).unwrap();
        assert_eq!(shown.spec["secret"], json!({"$sealed": true}));
        // Sent back as it was shown, with another name.
        let mut sent = shown.spec;
        sent["name"] = json!("w");
        w.write(move |tx| tx.replace_any(tx.registry().kind("vault").unwrap(), id.any(), None, sent.clone())).unwrap();
        assert_eq!(w.read(move |tx| tx.get(id)).unwrap().spec, Vault::with("w", "hunter2", Some(site)));
    });
}

#[test]
fn the_log_tells_that_a_secret_changed_and_nothing_more() {
    on_both(|w| {
        let (org, site) = (w.org, w.site("a").id.any());
        let vault = w.write(move |tx| tx.create(org, Vault::with("v", "hunter2", Some(site)))).unwrap();
        let id = vault.id;
        w.write(move |tx| {
            let mut object = tx.get(id)?;
            tx.save(&mut object, Vault::with("w", "hunter2", Some(site)))?;
            tx.save(&mut object, Vault::with("w", "hunter3", Some(site)))?;
            tx.remove(id)
        })
        .unwrap();
        let lines = w.read(move |tx| tx.changes(&of(id.any()))).unwrap();
        let text = format!("{lines:?}");
        assert!(!text.contains("hunter"), "{text}");
        let print = |doc: &Option<serde_json::Value>| {
            doc.as_ref().map(|d| d["secret"]["$sealed"].as_str().expect("a print").to_owned())
        };
        let prints: Vec<_> = lines.iter().map(|c| (print(&c.before), print(&c.after))).collect();
        let [created, renamed, changed, removed] = &prints[..] else { panic!("{prints:?}") };
        assert_eq!((&created.0, &created.1, &renamed.0), (&None, &renamed.1, &renamed.1));
        assert!(changed.0 == renamed.1 && changed.0 != changed.1);
        assert_eq!((&removed.0, &removed.1), (&changed.1, &None));
        for print in prints.iter().flat_map(|(a, b)| [a, b]).flatten() {
            let is_print =
                print.len() == 9 && print.starts_with('~') && print[1..].bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_print, "{print}");
        }
    });
}

#[test]
fn a_trigger_hears_of_a_removed_row_with_a_secret() {
    on_both(|w| {
        let (org, site) = (w.org, w.site("a").id.any());
        let vault = w.write(move |tx| tx.create(org, Vault::with("v", "hunter2", Some(site)))).unwrap();
        let lease = w.write(|tx| tx.lease(&["vaults"], "me", 60, 1)).unwrap().remove(0);
        w.write(move |tx| tx.finish(&lease, None, true, "")).unwrap();
        w.write(move |tx| tx.remove(vault.id)).unwrap();
        assert_eq!(w.read(move |tx| tx.work_of("vaults", site)).unwrap().unwrap().due_at, Some(crate::world::START));
    });
}
