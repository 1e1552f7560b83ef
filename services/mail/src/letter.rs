//! A letter as the mail server takes it. Addresses and headers are made from their parts by types that cannot hold a line break, so
//! that no name and no subject begins another header.

use lettre::{
    Address, Message,
    address::Envelope,
    message::{Mailbox, header::ContentType},
};
use meetme_app::mails::{Letter, Receiver};

/// Who every letter is from.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

impl Sender {
    /// Reads `Name <address>` or an address.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|e| format!("mail.from: {text:?} is not an address that mail can come from: {e}"))
    }
}

/// A letter with everybody it goes to.
pub(crate) struct Post {
    /// The mail, headers and all.
    pub bytes: Vec<u8>,
    /// Where it goes, one envelope for each address: what one does not take, others may.
    pub envelopes: Vec<(String, Envelope)>,
    /// The addresses that are none for a mail server.
    pub wrong: Vec<String>,
}

/// Makes the mail with this text. `id` names it: a second delivery of the same letter has the same name, by which mail programs see that it is one.
pub(crate) fn post(sender: &Sender, letter: &Letter, text: &str, id: &str) -> Result<Post, String> {
    let Sender(from) = sender;
    let name = format!("<{id}@{}>", from.email.domain());
    let mut message = Message::builder()
        .from(from.clone())
        .message_id(Some(name))
        .subject(plain(&letter.subject))
        .header(ContentType::TEXT_PLAIN);
    if let Some(mailbox) = letter.reply_to.as_ref().and_then(mailbox) {
        message = message.reply_to(mailbox);
    }
    let (mut envelopes, mut wrong) = (Vec::new(), Vec::new());
    for receiver in &letter.to {
        let envelope = mailbox(receiver).and_then(|mailbox| {
            let to = Envelope::new(Some(from.email.clone()), vec![mailbox.email.clone()]).ok()?;
            Some((mailbox, to))
        });
        match envelope {
            Some((mailbox, to)) => {
                message = message.to(mailbox);
                envelopes.push((receiver.address.clone(), to));
            }
            None => wrong.push(plain(&receiver.address)),
        }
    }
    if envelopes.is_empty() {
        return Err("None of the addresses is one that mail can go to.".to_owned());
    }
    let message = message.body(text.to_owned()).map_err(|e| format!("The mail cannot be written: {e}"))?;
    Ok(Post { bytes: message.formatted(), envelopes, wrong })
}

fn mailbox(receiver: &Receiver) -> Option<Mailbox> {
    let address: Address = receiver.address.parse().ok()?;
    let name = plain(&receiver.name);
    Some(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address))
}

/// One line, without what steers a terminal or a protocol.
fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, subject: &str, body: &str) -> String {
        let sender = Sender::parse("Peering Desk <peering@example.net>").unwrap();
        let letter = Letter {
            to: vec![
                Receiver { name: name.to_owned(), address: "noc@example.org".to_owned() },
                Receiver { name: String::new(), address: "not an address".to_owned() },
            ],
            reply_to: Some(Receiver { name: "Ada".to_owned(), address: "ada@example.net".to_owned() }),
            subject: subject.to_owned(),
            body: String::new(),
            sealed: None,
        };
        let post = post(&sender, &letter, body, "0f").unwrap();
        assert_eq!((post.envelopes.len(), post.wrong), (1, vec!["not an address".to_owned()]));
        String::from_utf8(post.bytes).unwrap()
    }

    #[test]
    fn a_letter_has_the_headers_of_a_mail() {
        let text = written("NOC", "Hello", "Dear all\n");
        for line in [
            "From: \"Peering Desk\" <peering@example.net>\r\n",
            "To: NOC <noc@example.org>\r\n",
            "Reply-To: Ada <ada@example.net>\r\n",
            "Subject: Hello\r\n",
            "Message-ID: <0f@example.net>\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(text.contains("\r\nDate: ") && text.ends_with("Dear all\r\n"), "{text}");
    }

    #[test]
    fn nothing_begins_a_header_of_its_own() {
        let evil = "x\r\nBcc: all@example.com\r\n\r\nBody";
        let text = written(evil, evil, evil);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| name)
            .collect();
        assert!(!names.iter().any(|name| name.eq_ignore_ascii_case("bcc")), "{head}");
        assert_eq!(names.iter().filter(|name| **name == "Subject").count(), 1, "{head}");
    }

    #[test]
    fn a_letter_to_nobody_is_not_written() {
        let sender = Sender::parse("peering@example.net").unwrap();
        let subject = "s".to_owned();
        let letter = Letter { to: Vec::new(), reply_to: None, subject, body: String::new(), sealed: None };
        assert!(post(&sender, &letter, "b", "0f").is_err());
        assert!(Sender::parse("nobody").is_err());
    }
}
