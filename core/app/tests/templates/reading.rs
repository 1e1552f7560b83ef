//! What a template sees of a stored book.

use meetme_app::{
    passwords, routers,
    templates::{self, Passwords},
};
use meetme_model::{
    mirror::{PdbFacility, PdbLan, PdbNetwork, PdbNetworkFacility, PdbPort},
    ops::{Contact, ContactAssignment, ContactRole},
    routing::{
        AutonomousSystem, ConfigContext, ConfigContextAssignment, Exchange, ExchangeSession, PasswordForm, Platform,
        Router, Template, TemplatePurpose,
    },
};
use meetme_store::{Filter, Resource as _};
use serde_json::json;

use crate::book::{Book, THEN, each};

async fn says(book: &Book, template: &str, wanted: &str) {
    assert_eq!(book.rendered(template, Passwords::Masked).await.unwrap(), wanted, "{} {template}", book.make);
}

#[tokio::test]
async fn a_router_and_all_that_belongs_to_it_is_seen() {
    each("Peer", async |book| {
        let book = &book;
        says(book, "{{ router }} {{ local_as.asn }} {{ router.router_id }}", "edge1 64500 192.0.2.1").await;
        says(book, "{{ autonomous_systems | iterate('asn') | join(' ') }}", "64501 64502 64503 64510").await;
        says(book, "{{ bgp_groups | join }} {{ internet_exchange_points | join }}", "Upstreams IX").await;
        says(book, "{{ communities | iterate('value') | join(' ') }}", "64500:7 target:64500:9 64500:1:2").await;
        says(book, "{{ routing_policies | iterate('slug') | join(' ') }}", "heavy take-all tell").await;
        // Seen from this router: the session of the other one at the same exchange is not there, its address is.
        says(book, "{{ router | ixp_sessions | length }} {{ internet_exchange_points[0] | sessions | length }}", "5 5")
            .await;
        let ours = "{{ internet_exchange_points[0] | local_ips(4) | join(' ') }} {{ router | connections | join }}";
        says(book, ours, "192.0.2.1/24 192.0.2.2/24 IX on edge1 xe1").await;
        says(
            book,
            "{{ router | direct_sessions | iterate('relationship') | join(' ') }}",
            "Our transit Our customer Our customer",
        )
        .await;
        says(
            book,
            "{{ router | direct_sessions(6) | ip | join }} {{ router | direct_peers('upstreams') | join }}",
            "2001:db8:9::2 AS64502 - Transit",
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_session_leads_to_everything_it_hangs_on() {
    each("Peer", async |book| {
        let book = &book;
        let s = "{% set s = router | ixp_sessions | get(ip_address='192.0.2.11') %}";
        let says = async |template: &str, wanted: &str| says(book, &format!("{s}{template}"), wanted).await;
        says("{{ s }}", "IX - AS64501 - IP 192.0.2.11").await;
        says("{{ s.ixp_connection.router.name }} {{ s.ixp_connection.internet_exchange_point.slug }}", "edge1 ix")
            .await;
        says(
            "{{ s.autonomous_system.tags.all()[0].slug }} {{ s | has_tag('core') }} {{ s.bfd.name }}",
            "core True Fast",
        )
        .await;
        says("{{ s.ixp_connection | mac('cisco') }} {{ s | local_ips }}", "0200.5e10.000a 192.0.2.1/24").await;
        says("{{ s | merge_import_policies | iterate('slug') | join(' ') }}", "take-all heavy").await;
        says("{{ s | merge_communities | iterate('slug') | join(' ') }}", "wide blue").await;
        says("{{ s | max_prefix }} {{ s.enabled }} {{ s | inherited_status }}", "100 True enabled").await;
        says("{{ internet_exchange_points[0] | context_get_key('mtu') }} {{ s | contact('x') }}", "9000 None").await;
        says("{{ (router | direct_sessions)[0] | as_json(0) | length > 100 }}", "True").await;
    })
    .await;
}

#[tokio::test]
async fn a_status_above_is_inherited() {
    each("Peer", async |book| {
        let router = book.laid.edge1;
        book.write(move |_, tx| {
            let mut row = tx.get(router)?;
            let mut spec = row.spec.clone();
            spec.admin = meetme_model::Admin::Maintenance;
            Ok(tx.save(&mut row, spec)?)
        })
        .await;
        let all = "{% for s in router | ixp_sessions %}{{ s | inherited_status }} {% endfor %}";
        let said = book.rendered(all, Passwords::Masked).await.unwrap();
        assert_eq!(said.matches("maintenance").count(), 4, "{said}");
        assert_eq!(said.matches("disabled").count(), 1, "{said}");
    })
    .await;
}

#[tokio::test]
async fn a_password_is_told_as_the_platform_spells_it_once_somebody_had_it_spelled() {
    each("Peer", async |book| {
        let all = "{% for s in router | ixp_sessions if s.password %}{{ s.encrypted_password }}\
            {% if s.encrypted_password %} {{ s.encrypted_password | cisco_password }}{% endif %}{% endfor %}";
        assert_eq!(book.rendered(all, Passwords::Clear).await.unwrap(), "None", "{}", book.make);
        let (router, session, top) = (book.laid.edge1, book.laid.across, book.laid.top);
        book.write(move |app, tx| {
            let platform = json!({"name": "Box", "slug": "box", "password_form": "cisco-type7"});
            let platform = tx.create::<Platform>(top, serde_json::from_value(platform).unwrap())?.id;
            let mut row = tx.get(router)?;
            let spec = Router { platform: Some(platform), encrypt: true, ..row.spec.clone() };
            tx.save(&mut row, spec)?;
            // As the operation does for a caller who may change the session.
            let mut row = tx.get(session)?;
            let mut spec = row.spec.clone();
            let spelled = passwords::spelled(PasswordForm::CiscoType7, "s3cret", "192.0.2.11", 8);
            spec.peer.encrypted = Some(app.sealer().seal(spelled.expose())?);
            Ok(tx.save(&mut row, spec)?)
        })
        .await;
        let spelled = passwords::spelled(PasswordForm::CiscoType7, "s3cret", "192.0.2.11", 8).expose().clone();
        let clear = book.rendered(all, Passwords::Clear).await.unwrap();
        assert_eq!(clear, format!("{spelled} {spelled}"), "{}", book.make);
        assert_eq!(book.rendered(all, Passwords::Masked).await.unwrap(), "(secret) (secret)", "{}", book.make);
    })
    .await;
}

#[tokio::test]
async fn passwords_are_masked_unless_the_text_goes_to_the_box() {
    each("Peer", async |book| {
        let all = "{% for s in router | ixp_sessions if s.password %}{{ s.password }}{% endfor %}";
        assert_eq!(book.rendered(all, Passwords::Masked).await.unwrap(), templates::MASK);
        assert_eq!(book.rendered(all, Passwords::Clear).await.unwrap(), "s3cret");
        let router = book.laid.edge1;
        let state = book.write(move |app, tx| routers::whole_state(app, tx, router)).await;
        assert_eq!(state.template.as_ref().unwrap().render().unwrap(), "s3cret");
        let shown = format!("{state:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
    })
    .await;
}

#[tokio::test]
async fn a_text_stays_the_same_until_something_behind_it_changes() {
    each("Peer", async |book| {
        let first = book.rendered("{{ now() }}", Passwords::Masked).await.unwrap();
        assert_eq!(first, THEN.rfc3339_seconds());
        book.clock.step_seconds(60);
        assert_eq!(book.rendered("{{ now() }}", Passwords::Masked).await.unwrap(), first);
        let peer = book.laid.peer;
        book.write(move |_, tx| {
            let mut row = tx.get(peer)?;
            let spec = AutonomousSystem { name: "Other".into(), ..row.spec.clone() };
            Ok(tx.save(&mut row, spec)?)
        })
        .await;
        assert_ne!(book.rendered("{{ now() }}", Passwords::Masked).await.unwrap(), first);
    })
    .await;
}

#[tokio::test]
async fn templates_of_the_same_book_are_included_and_exports_are_rendered_apart() {
    each("Peer", async |book| {
        let top = book.laid.top;
        book.write(move |_, tx| {
            let part =
                |name: &str, text: &str| Template { name: name.into(), text: text.into(), ..Template::default() };
            tx.create(top, part("Part", "[{{ router.name }}{{ now(format='') }}]"))?;
            tx.create(top, part("Bad", "\n{{ router.name | nosuch }}"))?;
            let list = Template {
                purpose: TemplatePurpose::Export,
                kind: Some(AutonomousSystem::KIND.name().into()),
                ..part("List", "{% for a in dataset %}{{ a.asn }} {% endfor %}")
            };
            Ok(tx.create(top, list)?)
        })
        .await;
        says(&book, "{% include_configuration 'Part' %}", "[edge1]").await;
        says(&book, "{% include_exporttemplate 'List' %}", "64500 64501 64502 64503 64510 ").await;
        let failed = book.rendered("{% include_configuration 'Bad' %}", Passwords::Masked).await.unwrap_err();
        assert_eq!((failed.template.as_deref(), failed.line), (Some("Bad"), Some(2)), "{failed}");
        let failed = book.rendered("{% include_configuration 'None' %}", Passwords::Masked).await.unwrap_err();
        assert_eq!(failed.line, Some(1), "{failed}");
    })
    .await;
}

#[tokio::test]
async fn an_export_lists_the_rows_that_match_and_a_mail_knows_its_as() {
    each("Peer", async |book| {
        let (top, peer) = (book.laid.top, book.laid.peer);
        let (list, mail) = book
            .write(move |app, tx| {
                let text = |purpose, text: &str| Template {
                    name: "E".into(),
                    purpose,
                    text: text.into(),
                    ..Template::default()
                };
                let list = Template {
                    kind: Some(ExchangeSession::KIND.name().into()),
                    ..text(TemplatePurpose::Export, "{% for s in dataset %}{{ s | ip }} {{ s.password }};{% endfor %}")
                };
                tx.create(top, list)?;
                let filter = Filter::eq("asn", 64501);
                let list = templates::export_named(app, tx, "E", ExchangeSession::KIND, &filter)?;
                let mail = Template {
                    subject: Some("To {{ autonomous_system.name }}\n{{ autonomous_system.asn }}".into()),
                    ..text(
                        TemplatePurpose::Mail,
                        "{{ autonomous_system | ixp_sessions | length }} {{ autonomous_system | ixps(affiliated_autonomous_systems[0]) | join }}",
                    )
                };
                let mail = tx.create(top, mail)?;
                Ok((list, templates::mail(app, tx, &mail, peer)?))
            })
            .await;
        assert_eq!(list.render().unwrap(), "192.0.2.11 (secret);2001:db8:1::11 None;192.0.2.21 None;");
        assert_eq!(mail.render().unwrap(), "3 IX");
        assert_eq!(mail.subject().unwrap().as_deref(), Some("To Peer 64501"));
    })
    .await;
}

#[tokio::test]
async fn a_mail_knows_contacts_shared_data_and_what_the_public_database_says() {
    each("Peer", async |book| {
        let (top, peer) = (book.laid.top, book.laid.peer);
        let mail = book
            .write(move |app, tx| {
                let exchange = tx.one::<Exchange>(&Filter::eq("slug", "ix"))?.unwrap();
                let ours = exchange.spec.local;
                let (id, mut row) = (exchange.id, exchange);
                let linked = Exchange { pdb_lan: Some(100), ..row.spec.clone() };
                tx.save(&mut row, linked)?;
                let lan = tx.create(top, of::<PdbLan>(json!({"id": 100})))?.id;
                for (n, ip) in [(1, "192.0.2.11"), (2, "192.0.2.99")] {
                    let port = json!({"id": n, "asn": 64501, "ixlan_id": 100, "ixlan": lan, "ipaddr4": ip});
                    tx.create(top, of::<PdbPort>(port))?;
                }
                let facility = tx.create(top, of::<PdbFacility>(json!({"id": 5, "name": "East"})))?.id;
                for (n, asn) in [(7, 64501), (8, 64500)] {
                    let network = json!({"id": n, "asn": asn, "name": format!("Network {asn}")});
                    let network = tx.create(top, of::<PdbNetwork>(network))?.id;
                    tx.create(top, of::<PdbNetworkFacility>(json!({"id": n, "net": network, "fac": facility})))?;
                }
                let role = tx.create(top, of::<ContactRole>(json!({"name": "Policy", "slug": "policy"})))?.id;
                let noc = json!({"name": "Desk", "email": "desk@example.net"});
                let noc = tx.create(top, of::<Contact>(noc))?.id;
                let assigned = json!({"object": peer, "contact": noc, "role": role});
                tx.create(top, of::<ContactAssignment>(assigned))?;
                let shared = json!({"name": "C", "data": {"region": "eu"}});
                let shared = tx.create(top, of::<ConfigContext>(shared))?.id;
                let assigned = json!({"object": id, "context": shared, "weight": 1});
                tx.create(top, of::<ConfigContextAssignment>(assigned))?;
                let text = "{% set us = affiliated_autonomous_systems[0] %}\
                    {{ autonomous_system | missing_sessions(us) | iterate('ipaddr4') | join }} \
                    {{ autonomous_system | shared_ixps(us) | join }} {{ autonomous_system | shared_facilities(us) | join }} \
                    {{ autonomous_system | contact('policy', field='email') }} \
                    {{ (autonomous_system | ixps(us))[0] | context_get_key('region') }} \
                    {{ (autonomous_system | ixps(us))[0].config_context.mtu }}";
                let mail = Template {
                    name: "M".into(),
                    purpose: TemplatePurpose::Mail,
                    subject: Some("x".into()),
                    text: text.into(),
                    ..Template::default()
                };
                let mail = tx.create(top, mail)?;
                assert!(tx.find(ours)?.is_some());
                templates::mail(app, tx, &mail, peer)
            })
            .await;
        assert_eq!(mail.render().unwrap(), "192.0.2.99 IX East desk@example.net eu 9000");
    })
    .await;
}

fn of<R: serde::de::DeserializeOwned>(json: serde_json::Value) -> R {
    serde_json::from_value(json).unwrap()
}
