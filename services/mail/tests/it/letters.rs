//! What becomes of letters.

use meetme_app::{
    jobs,
    mails::{Letter, Receiver, SEND},
};
use meetme_base::Secret;
use meetme_mail::{Delivery, Password, Settings, Tls};
use meetme_model::ops::JobState;

use crate::{
    sink::Sink,
    world::{self, log, settings},
};

#[tokio::test]
async fn a_letter_reaches_every_contact_with_an_address() {
    for make in 0..2 {
        let sink = Sink::new().await;
        let Some(w) = world::both(&settings(sink.port)).await.into_iter().nth(make) else { continue };
        w.contact("NOC", "noc@example.org").await;
        w.contact("Policy\r\nBcc: all@example.com", "policy@example.org").await;
        w.contact("By phone only", "").await;
        w.contact("NOC again", "noc@example.org").await;
        let id = w.send(Vec::new(), "Peering", "Dear all,\n\nfarewell.\n.\nNot the end.\n").await.unwrap();
        let job = w.over(id).await;
        assert_eq!(job.status.state, JobState::Ok, "{}: {}", w.make, log(&job));
        assert_eq!(job.status.output, "The mail server accepted the mail for 2 of 2 addresses.");
        assert!(log(&job).contains("noc@example.org: accepted: 250 2.0.0 Queued as 4711"), "{}", log(&job));
        let mails = sink.mails();
        let to: Vec<_> = mails.iter().map(|mail| mail.to.clone()).collect();
        assert_eq!(to, [["noc@example.org"], ["policy@example.org"]], "one envelope for each address");
        for mail in &mails {
            assert_eq!((mail.from.as_str(), &mail.user), ("peering@example.net", &None));
            let (head, body) = mail.data.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("Subject: Peering\r\n") && !head.contains("\r\nBcc"), "{head}");
            assert!(head.contains(&format!("Message-ID: <{}@example.net>", job.uid)), "{head}");
            assert_eq!(body.trim_end(), "Dear all,\r\n\r\nfarewell.\r\n.\r\nNot the end.");
        }
    }
}

#[tokio::test]
async fn only_the_contacts_that_are_named_are_written_to() {
    let sink = Sink::new().await;
    let w = world::one(&settings(sink.port)).await;
    w.contact("NOC", "noc@example.org").await;
    let policy = w.contact("Policy", "policy@example.org").await;
    let job = w.send(vec![policy], "Peering", "Dear policy").await.unwrap();
    assert_eq!(w.over(job).await.status.state, JobState::Ok);
    assert_eq!(sink.mails().into_iter().map(|mail| mail.to).collect::<Vec<_>>(), [["policy@example.org"]]);
}

#[tokio::test]
async fn what_the_server_does_not_take_for_now_is_tried_again() {
    let sink = Sink::new().await;
    let w = world::one(&settings(sink.port)).await;
    w.contact("NOC", "noc@example.org").await;
    w.contact("Policy", "policy@example.org").await;
    sink.answer("noc@example.org", "450 4.2.1 Greylisted, come again");
    sink.answer("noc@example.org", "451 4.3.0 Still busy");
    let job = w.send(Vec::new(), "Peering", "Dear all").await.unwrap();
    let job = w.over(job).await;
    assert_eq!(job.status.state, JobState::Ok, "{}", log(&job));
    let text = log(&job);
    assert!(text.contains("noc@example.org: not now: ") && text.contains("Greylisted, come again"), "{text}");
    let to: Vec<_> = sink.mails().into_iter().map(|mail| mail.to.concat()).collect();
    assert_eq!(to, ["policy@example.org", "noc@example.org"], "nobody gets it twice");
}

#[tokio::test]
async fn patience_has_an_end() {
    let sink = Sink::new().await;
    let w = world::one(&settings(sink.port)).await;
    w.contact("NOC", "noc@example.org").await;
    (0..3).for_each(|_| sink.answer("noc@example.org", "450 4.2.1 Not today"));
    let job = w.send(Vec::new(), "Peering", "Dear all").await.unwrap();
    let job = w.over(job).await;
    assert_eq!((job.status.state, sink.mails().len()), (JobState::Failed, 0));
    assert!(log(&job).contains("noc@example.org: given up after 3 tries"), "{}", log(&job));
}

#[tokio::test]
async fn who_is_refused_keeps_the_letter_from_nobody_else() {
    let sink = Sink::new().await;
    let w = world::one(&settings(sink.port)).await;
    w.contact("Gone", "gone@example.org").await;
    w.contact("NOC", "noc@example.org").await;
    sink.answer("gone@example.org", "550 5.1.1 No such user");
    let job = w.send(Vec::new(), "Peering", "Dear all").await.unwrap();
    let job = w.over(job).await;
    assert_eq!(job.status.state, JobState::Failed);
    assert!(job.status.output.starts_with("The mail server accepted the mail for 1 of 2 addresses"));
    let text = log(&job);
    assert!(text.contains("gone@example.org: refused: ") && text.contains("No such user"), "{text}");
    assert!(!text.contains("not now"), "what is refused for good is not tried again: {text}");
    assert_eq!(sink.mails().len(), 1);
}

#[tokio::test]
async fn the_operators_user_logs_in() {
    let sink = Sink::new().await;
    sink.only("meetme", "hunter2");
    let with = |password: &str| Settings {
        user: Some("meetme".to_owned()),
        password: Some(Password(Secret::new(password.to_owned()))),
        ..settings(sink.port)
    };
    for (password, state) in [("hunter2", JobState::Ok), ("wrong", JobState::Failed)] {
        let w = world::one(&with(password)).await;
        w.contact("NOC", "noc@example.org").await;
        let job = w.send(Vec::new(), "Peering", "Dear all").await.unwrap();
        let job = w.over(job).await;
        assert_eq!(job.status.state, state, "{}", log(&job));
        assert!(!log(&job).contains(password), "{}", log(&job));
    }
    assert_eq!(sink.mails().into_iter().map(|mail| mail.user).collect::<Vec<_>>(), [Some("meetme".to_owned())]);
}

#[tokio::test]
async fn a_server_that_is_away_or_keeps_no_secrets_gets_no_mail() {
    let sink = Sink::new().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = nobody.local_addr().unwrap().port();
    drop(nobody);
    let unsafe_server = Settings { tls: Tls::StartTls, ..settings(sink.port) };
    for (settings, says) in [
        (settings(away), "given up after 3 tries"),
        (unsafe_server, "STARTTLS"),
        (Settings { host: None, ..settings(away) }, "No mail server is configured"),
    ] {
        let w = world::one(&settings).await;
        w.contact("NOC", "noc@example.org").await;
        let job = w.send(Vec::new(), "Peering", "Dear all").await.unwrap();
        let job = w.over(job).await;
        assert_eq!(job.status.state, JobState::Failed);
        assert!(log(&job).contains(says), "{says} is not in {}", log(&job));
    }
    assert!(sink.mails().is_empty());
}

#[tokio::test]
async fn a_letter_needs_somebody_to_go_to_and_a_subject_of_one_line() {
    let sink = Sink::new().await;
    for w in world::both(&settings(sink.port)).await {
        let field = |error: meetme_app::Error| match error {
            meetme_app::Error::Invalid(list) => list[0].field.clone(),
            other => panic!("{other}"),
        };
        let said = w.send(Vec::new(), "Peering", "Dear nobody").await.map_err(field);
        assert_eq!(said.unwrap_err(), "contacts", "{}", w.make);
        let noc = w.contact("NOC", "noc@example.org").await;
        for (contacts, subject, wanted) in [
            (vec![noc], "", "subject"),
            (vec![noc], "a\r\nBcc: all@example.com", "subject"),
            (vec![meetme_base::Id::new(99_999)], "Peering", "contacts"),
        ] {
            assert_eq!(w.send(contacts, subject, "x").await.map_err(field).unwrap_err(), wanted, "{subject:?}");
        }
        for n in 0..50 {
            w.contact(&format!("C{n}"), &format!("c{n}@example.org")).await;
        }
        assert_eq!(w.send(Vec::new(), "Peering", "x").await.map_err(field).unwrap_err(), "contacts", "51 are too many");
        w.send(vec![noc], "Peering", "x").await.unwrap();
    }
}

#[test]
fn settings_that_make_no_sense_are_refused_when_the_server_starts() {
    let good = settings(25);
    assert!(Delivery::of(&good).unwrap().is_some());
    assert!(Delivery::of(&Settings::default()).unwrap().is_none());
    for bad in [
        Settings { from: "nobody".to_owned(), ..good.clone() },
        Settings { user: Some("x".to_owned()), ..good.clone() },
        Settings { tls: Tls::Tls, ca_file: Some("/nowhere.pem".into()), ..good.clone() },
    ] {
        assert!(Delivery::of(&bad).is_err(), "{bad:?}");
    }
}

#[tokio::test]
async fn what_only_the_receiver_may_read_is_sealed_until_it_is_sent() {
    for make in 0..2 {
        let sink = Sink::new().await;
        let Some(w) = world::both(&settings(sink.port)).await.into_iter().nth(make) else { continue };
        let to = vec![Receiver { name: String::new(), address: "ada@example.org".to_owned() }];
        let sealed = Some(w.app.sealer().seal("The code is 8213.").unwrap());
        let letter = Letter { to, reply_to: None, subject: "Code".to_owned(), body: String::new(), sealed };
        let (home, inputs) = (w.home, serde_json::to_value(letter).unwrap());
        let job = w.write(move |tx| {
            let ask = jobs::Ask { what: SEND, name: "Write".to_owned(), subject: None, inputs: inputs.clone() };
            Ok(jobs::ask(tx, home, ask)?.id)
        });
        let job = w.over(job.await.unwrap()).await;
        assert_eq!(job.status.state, JobState::Ok, "{}: {}", w.make, log(&job));
        let shown = meetme_store::Tx::erased(&job);
        assert!(!format!("{} {}", shown.spec, shown.status).contains("8213"), "{}", shown.spec);
        assert!(sink.mails()[0].data.trim_end().ends_with("The code is 8213."));
    }
}
