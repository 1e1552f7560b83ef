//! Checking what a machine is to read at its first start, before it does: the forms that cloud-init knows, scripts, and scripts of
//! the network boot program iPXE.
//!
//! A check here finds what would certainly go wrong: text that is no YAML, a list where a mapping must be, an interpreter without a path, a command
//! that iPXE does not have. It runs nothing, and does not promise that a script does what its author wants.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use meetme_base::Invalid;
use serde_json::Value;

/// The longest text, in bytes.
pub const LONGEST: usize = 256 * 1024;
/// How many parts within parts are looked at.
const DEEPEST: usize = 3;
/// The most parts of one text.
const PARTS: usize = 100;
/// The most complaints about one text.
const MOST: usize = 20;

/// What is wrong with a text; nothing when a machine can be given it.
pub fn check(text: &str) -> Vec<Invalid> {
    let mut found = Vec::new();
    if text.len() > LONGEST {
        found.push(wrong(format!("The text has more than {LONGEST} bytes.")));
    } else if text.contains('\0') {
        found.push(wrong("The text has a null character in it."));
    } else {
        part(text, "", DEEPEST, &mut found);
    }
    found.truncate(MOST);
    found
}

fn wrong(text: impl Into<String>) -> Invalid {
    Invalid::new("userdata", "userdata", text)
}

/// One part, whose place in the whole is said before each complaint.
fn part(text: &str, at: &str, deep: usize, found: &mut Vec<Invalid>) {
    let first = text.lines().next().unwrap_or_default();
    let word = first.trim_end();
    let mut say = |text: String| found.push(wrong(format!("{at}{text}")));
    if text.trim().is_empty() {
        say("The text is empty.".to_owned());
    } else if word == "#cloud-config" || word.starts_with("#cloud-config ") {
        cloud_config(text).into_iter().for_each(say);
    } else if word == "#cloud-config-archive" {
        archive(text, at, deep, found);
    } else if word.starts_with("#!ipxe") {
        ipxe(text).into_iter().for_each(say);
    } else if let Some(interpreter) = first.strip_prefix("#!") {
        script(interpreter, text).into_iter().for_each(say);
    } else if word == "#include" || word == "#include-once" {
        includes(text).into_iter().for_each(say);
    } else if word.starts_with("## template:") {
        template(text).into_iter().for_each(say);
    } else if ["#cloud-boothook", "#part-handler", "#upstart-job"].contains(&word) {
        if text.lines().skip(1).all(|line| line.trim().is_empty()) {
            say(format!("Nothing comes after {word}."));
        }
    } else if is_header(first, "content-type") || is_header(first, "mime-version") {
        multipart(text, at, deep, found);
    } else {
        say("The text begins with nothing that a machine knows: #cloud-config, #!, #!ipxe, #include or a MIME header."
            .to_owned());
    }
}

/// The text as YAML, as far as its form can be told in JSON. The reader is bounded: a text whose aliases would fill the memory is refused.
fn yaml(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str::<Value>(text).map_err(|e| {
        let said = e.to_string();
        format!("It is no YAML: {}", said.lines().next().unwrap_or_default())
    })
}

/// Members of a cloud-config whose form is known, by the form; all others are left to the modules that read them.
const LISTS: &[&str] = &[
    "bootcmd",
    "fs_setup",
    "mounts",
    "packages",
    "runcmd",
    "ssh_authorized_keys",
    "ssh_import_id",
    "users",
    "write_files",
];
const TEXTS: &[&str] = &["fqdn", "hostname", "locale", "timezone"];
const FLAGS: &[&str] =
    &["disable_root", "package_reboot_if_required", "package_update", "package_upgrade", "preserve_hostname"];

fn cloud_config(text: &str) -> Vec<String> {
    let map = match yaml(text) {
        Ok(Value::Object(map)) => map,
        Ok(Value::Null) => return vec!["A #cloud-config with nothing in it.".to_owned()],
        Ok(_) => return vec!["A #cloud-config is a mapping of names to values.".to_owned()],
        Err(why) => return vec![why],
    };
    let mut out = Vec::new();
    for (name, value) in &map {
        let name = name.as_str();
        if value.is_null() {
            continue;
        }
        if LISTS.contains(&name) && !value.is_array() {
            out.push(format!("{name} must be a list."));
            continue;
        }
        if TEXTS.contains(&name) && !value.is_string() && !value.is_boolean() {
            out.push(format!("{name} must be a text."));
        }
        if FLAGS.contains(&name) && !value.is_boolean() {
            out.push(format!("{name} must be true or false."));
        }
        for (n, item) in value.as_array().into_iter().flatten().enumerate() {
            out.extend(item_of(name, item).map(|why| format!("{name}[{n}] {why}")));
        }
    }
    out
}

/// What is wrong with a member of one of the lists.
fn item_of(name: &str, item: &Value) -> Option<&'static str> {
    let texts = |list: &Vec<Value>| list.iter().all(|word| !word.is_object() && !word.is_array());
    match (name, item) {
        ("runcmd" | "bootcmd", Value::String(_)) => None,
        ("runcmd" | "bootcmd", Value::Array(words)) if texts(words) => None,
        ("runcmd" | "bootcmd", _) => Some("must be a text, or a list of words."),
        ("ssh_authorized_keys", Value::String(_)) => None,
        ("ssh_authorized_keys", _) => Some("must be a text."),
        ("write_files", Value::Object(map)) if map.get("path").is_some_and(Value::is_string) => None,
        ("write_files", _) => Some("must be a mapping with a path."),
        ("users", Value::String(_)) => None,
        ("users", Value::Object(map)) if map.contains_key("name") || map.contains_key("snapuser") => None,
        ("users", _) => Some("must be a name, or a mapping with one."),
        ("packages", Value::String(_) | Value::Object(_)) => None,
        ("packages", Value::Array(words)) if texts(words) => None,
        ("packages", _) => Some("must be a name, or a list of a name and a version."),
        _ => None,
    }
}

/// A list of parts, each a text or a mapping with its `content` and perhaps its `type`.
fn archive(text: &str, at: &str, deep: usize, found: &mut Vec<Invalid>) {
    let list = match yaml(text) {
        Ok(Value::Array(list)) if list.len() <= PARTS && deep > 0 => list,
        Ok(Value::Array(_)) => {
            return found.push(wrong(format!("{at}There are too many parts, or parts within parts.")));
        }
        Ok(_) => return found.push(wrong(format!("{at}A #cloud-config-archive is a list of parts."))),
        Err(why) => return found.push(wrong(format!("{at}{why}"))),
    };
    for (n, one) in list.iter().enumerate() {
        let at = format!("{at}Part {}: ", n + 1);
        let (content, kind) = match one {
            Value::String(text) => (Some(text.as_str()), None),
            other => (other.get("content").and_then(Value::as_str), other.get("type").and_then(Value::as_str)),
        };
        match content {
            Some(text) => typed(kind.unwrap_or("text/plain"), text, &at, deep - 1, found),
            None => found.push(wrong(format!("{at}It has no content."))),
        }
    }
}

/// A template's second header says what it makes; with braces in it, it is not yet what it makes.
fn template(text: &str) -> Vec<String> {
    let engine = text.lines().next().unwrap_or_default().trim_start_matches("## template:").trim();
    if engine != "jinja" {
        return vec![format!("The template language {engine} is not known; it is jinja.")];
    }
    let second = text.lines().nth(1).unwrap_or_default();
    if !second.starts_with('#') {
        return vec![
            "The line after `## template: jinja` says what the template makes, such as #cloud-config.".to_owned(),
        ];
    }
    let open = text.matches("{{").count() + text.matches("{%").count();
    let closed = text.matches("}}").count() + text.matches("%}").count();
    if open == closed { Vec::new() } else { vec!["A brace of the template is not closed.".to_owned()] }
}

fn includes(text: &str) -> Vec<String> {
    let lines = text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return vec!["Nothing is included.".to_owned()];
    }
    let bad = lines.filter(|(_, line)| {
        let rest = ["http://", "https://", "file://"].iter().find_map(|scheme| line.trim().strip_prefix(scheme));
        rest.is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace))
    });
    bad.map(|(n, _)| format!("Line {} is no URL.", n + 1)).collect()
}

fn script(interpreter: &str, text: &str) -> Vec<String> {
    let mut out = Vec::new();
    if text.lines().next().is_some_and(|_| text.split('\n').next().is_some_and(|line| line.ends_with('\r'))) {
        out.push(
            "The first line ends with a carriage return, which becomes part of the interpreter's name.".to_owned(),
        );
    }
    let path = interpreter.split_whitespace().next().unwrap_or_default();
    if !path.starts_with('/') || path.ends_with('/') {
        out.push("The interpreter after #! is named by its whole path.".to_owned());
    }
    if path.ends_with("/env") && interpreter.split_whitespace().nth(1).is_none() {
        out.push("env is not told which interpreter to run.".to_owned());
    }
    if text.lines().skip(1).all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        out.push("The script does nothing.".to_owned());
    }
    out
}

/// The commands of iPXE.
const IPXE: &[&str] = &[
    "autoboot",
    "boot",
    "certfree",
    "certstat",
    "certstore",
    "chain",
    "choose",
    "clear",
    "colour",
    "config",
    "console",
    "cpair",
    "cpuid",
    "dhcp",
    "echo",
    "exit",
    "fcels",
    "fcstat",
    "fdt",
    "form",
    "gdbstub",
    "goto",
    "help",
    "ifclose",
    "ifconf",
    "iflinkwait",
    "ifopen",
    "ifstat",
    "imgargs",
    "imgdecrypt",
    "imgexec",
    "imgexecute",
    "imgextract",
    "imgfetch",
    "imgfree",
    "imgload",
    "imgmem",
    "imgselect",
    "imgsha1",
    "imgsha256",
    "imgstat",
    "imgtrust",
    "imgverify",
    "inc",
    "initrd",
    "ipstat",
    "isset",
    "iseq",
    "item",
    "kernel",
    "login",
    "lotest",
    "menu",
    "module",
    "neighbour",
    "netboot",
    "nslookup",
    "nstat",
    "ntp",
    "params",
    "param",
    "parse",
    "pciscan",
    "ping",
    "poweroff",
    "present",
    "profstat",
    "prompt",
    "pxebs",
    "read",
    "reboot",
    "route",
    "sanboot",
    "sanhook",
    "sanunhook",
    "set",
    "shell",
    "shim",
    "show",
    "sleep",
    "sync",
    "time",
    "touch",
    "usbscan",
    "vcreate",
    "vdestroy",
    "wdestroy",
    "iwlist",
    "iwstat",
    "iwassoc",
    "imgtype",
    "bofm",
    "lldp",
    "stoppxe",
    "startpxe",
    "pxe",
    "rdaddr",
];

fn ipxe(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut labels: Vec<String> = Vec::new();
    let mut jumps: Vec<(usize, String)> = Vec::new();
    let mut commands = 0;
    let mut joined = String::new();
    for (n, line) in text.lines().enumerate().skip(1) {
        // A backslash at its end joins a line to the next one.
        if let Some(begun) = line.strip_suffix('\\') {
            joined.push_str(begun);
            continue;
        }
        let line = std::mem::take(&mut joined) + line;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(label) = line.strip_prefix(':') {
            labels.push(label.trim().to_owned());
            continue;
        }
        for command in line.split("||").flat_map(|part| part.split("&&")) {
            let mut words = command.split_whitespace();
            // After `||` there may be nothing: the failure is made light of.
            let Some(name) = words.next() else { continue };
            commands += 1;
            if name.contains("${") {
                continue;
            }
            if !IPXE.contains(&name) {
                out.push(format!("Line {}: iPXE has no command {}.", n + 1, name.chars().take(40).collect::<String>()));
            }
            if name == "goto"
                && let Some(label) = words.next().filter(|label| !label.contains("${"))
            {
                jumps.push((n + 1, label.to_owned()));
            }
        }
    }
    let lost = jumps.into_iter().filter(|(_, label)| !labels.contains(label));
    out.extend(lost.map(|(n, label)| format!("Line {n}: there is no label {label}.")));
    if commands == 0 && out.is_empty() {
        out.push("The script does nothing.".to_owned());
    }
    out
}

fn is_header(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(known, _)| known.trim().eq_ignore_ascii_case(name))
}

/// The headers of a part (RFC 2045), and what comes after them.
fn headers(text: &str) -> (Vec<(String, String)>, &str) {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut rest = text;
    loop {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let plain = line.trim_end();
        if plain.is_empty() {
            return (out, after);
        }
        // A line that begins with a blank goes on with the one before (RFC 5322, section 2.2.3).
        if plain.starts_with([' ', '\t']) {
            if let Some((_, value)) = out.last_mut() {
                value.push(' ');
                value.push_str(plain.trim());
            }
        } else if let Some((name, value)) = plain.split_once(':') {
            out.push((name.trim().to_lowercase(), value.trim().to_owned()));
        } else {
            return (out, rest);
        }
        if after.is_empty() {
            return (out, after);
        }
        rest = after;
    }
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn multipart(text: &str, at: &str, deep: usize, found: &mut Vec<Invalid>) {
    let (own, body) = headers(text);
    let kind = header(&own, "content-type").unwrap_or_default();
    if !kind.to_lowercase().starts_with("multipart/") {
        let encoding = header(&own, "content-transfer-encoding");
        return decoded(kind, encoding, body, at, deep, found);
    }
    let boundary = kind.split(';').find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    });
    let Some(boundary) = boundary.filter(|b| !b.is_empty()) else {
        return found.push(wrong(format!("{at}The multipart header names no boundary.")));
    };
    if deep == 0 {
        return found.push(wrong(format!("{at}There are parts within parts within parts.")));
    }
    let (mut parts, mut open, mut is_over) = (Vec::<String>::new(), false, false);
    for line in body.split_inclusive('\n') {
        match line.trim_end().strip_prefix("--").and_then(|rest| rest.strip_prefix(boundary.as_str())) {
            Some("") => {
                open = true;
                parts.push(String::new());
            }
            Some("--") => {
                is_over = true;
                break;
            }
            _ if open => parts.last_mut().expect("a part is open").push_str(line),
            _ => {}
        }
    }
    if parts.is_empty() {
        return found.push(wrong(format!("{at}There is no part between the boundaries.")));
    }
    if !is_over {
        found.push(wrong(format!("{at}The last boundary, --{boundary}--, is missing.")));
    }
    if parts.len() > PARTS {
        return found.push(wrong(format!("{at}There are more than {PARTS} parts.")));
    }
    for (n, text) in parts.iter().enumerate() {
        let at = format!("{at}Part {}: ", n + 1);
        let (own, body) = headers(text);
        let kind = header(&own, "content-type").unwrap_or("text/plain");
        if kind.to_lowercase().starts_with("multipart/") {
            multipart(text, &at, deep - 1, found);
        } else {
            decoded(kind, header(&own, "content-transfer-encoding"), body, &at, deep - 1, found);
        }
    }
}

/// A part in its transfer encoding (RFC 2045, section 6).
fn decoded(kind: &str, encoding: Option<&str>, body: &str, at: &str, deep: usize, found: &mut Vec<Invalid>) {
    match encoding.unwrap_or("7bit").to_lowercase().as_str() {
        "7bit" | "8bit" | "binary" => typed(kind, body, at, deep, found),
        // Its soft line breaks would have to be taken back; what it says stays what it is.
        "quoted-printable" => {}
        "base64" => {
            let letters: String = body.chars().filter(|c| !c.is_whitespace()).collect();
            match STANDARD.decode(letters).ok().map(String::from_utf8) {
                Some(Ok(text)) => typed(kind, &text, at, deep, found),
                // Compressed parts are bytes.
                Some(Err(_)) => {}
                None => found.push(wrong(format!("{at}The part is not in Base64, as its header says."))),
            }
        }
        other => {
            let other: String = other.chars().take(40).collect();
            found.push(wrong(format!("{at}The transfer encoding {other} is not known.")));
        }
    }
}

/// A part whose type says what it is, whatever it begins with.
fn typed(kind: &str, text: &str, at: &str, deep: usize, found: &mut Vec<Invalid>) {
    let mut all = |list: Vec<String>| found.extend(list.into_iter().map(|why| wrong(format!("{at}{why}"))));
    match kind.split(';').next().unwrap_or_default().trim().to_lowercase().as_str() {
        "text/cloud-config" => all(cloud_config(text)),
        "text/x-shellscript" => match text.lines().next().and_then(|line| line.strip_prefix("#!")) {
            Some(interpreter) => all(script(interpreter, text)),
            None => all(vec!["A script begins with #! and its interpreter.".to_owned()]),
        },
        "text/x-include-url" | "text/x-include-once-url" => all(includes(&format!("#include\n{text}"))),
        "text/plain" => part(text, at, deep, found),
        "text/cloud-boothook"
        | "text/part-handler"
        | "text/upstart-job"
        | "text/jinja2"
        | "text/cloud-config-jsonp"
        | "text/cloud-config-archive"
        | "text/x-shellscript-per-boot"
        | "text/x-shellscript-per-instance"
        | "text/x-shellscript-per-once"
        | "application/x-gzip" => {}
        other => {
            let other: String = other.chars().take(60).collect();
            all(vec![format!("The content type {other} is not known.")]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn good(text: &str) {
        assert_eq!(check(text).into_iter().map(|bad| bad.message).collect::<Vec<_>>(), Vec::<String>::new(), "{text}");
    }

    #[track_caller]
    fn bad(text: &str, words: &str) {
        let said: Vec<String> = check(text).into_iter().map(|bad| bad.message).collect();
        assert!(said.iter().any(|line| line.contains(words)), "{said:?} of {text}");
    }

    #[test]
    fn cloud_configs_are_mappings_whose_known_members_have_their_form() {
        good(
            "#cloud-config\nhostname: web1\nruncmd:\n - echo hi\n - [ls, -l]\nwrite_files:\n - path: /a\n   content: |\n     x\n",
        );
        good("#cloud-config\nusers:\n - default\n - name: ada\n   ssh_authorized_keys: [x]\nsomething_new: {any: 1}\n");
        bad("#cloud-config\n- a\n- b\n", "mapping");
        bad("#cloud-config\n", "nothing in it");
        bad("#cloud-config\nruncmd: [\n", "no YAML");
        bad("#cloud-config\nruncmd: ls\n", "runcmd must be a list");
        bad("#cloud-config\nruncmd:\n - a: b\n", "runcmd[0]");
        bad("#cloud-config\nwrite_files:\n - content: x\n", "write_files[0] must be a mapping with a path");
        bad("#cloud-config\npackage_update: maybe\n", "true or false");
    }

    #[test]
    fn a_text_that_would_fill_the_memory_is_no_yaml() {
        let mut text = "#cloud-config\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            let names = vec![format!("*a{}", n - 1); 9].join(", ");
            text.push_str(&format!("a{n}: &a{n} [{names}]\n"));
        }
        bad(&text, "no YAML");
    }

    #[test]
    fn scripts_name_their_interpreter_and_do_something() {
        good("#!/bin/bash\necho hi\n");
        good("#!/usr/bin/env python3\nprint(1)\n");
        bad("#!bash\necho\n", "whole path");
        bad("#!/usr/bin/env\necho\n", "env is not told");
        bad("#!/bin/sh\r\necho\r\n", "carriage return");
        bad("#!/bin/sh\n# nothing\n", "does nothing");
    }

    #[test]
    fn ipxe_scripts_have_commands_and_labels_that_are_there() {
        good(
            "#!ipxe\n:retry\ndhcp || goto retry\nset base http://boot.example.net\nkernel ${base}/vmlinuz \\\n  console=ttyS0\ninitrd ${base}/initrd ||\nboot\n",
        );
        bad("#!ipxe\nkernal http://x/\n", "no command kernal");
        bad("#!ipxe\ngoto nowhere\n", "no label nowhere");
        bad("#!ipxe\n# only\n", "does nothing");
    }

    #[test]
    fn parts_are_checked_by_their_types() {
        let whole = |parts: &str, end: &str| {
            format!("Content-Type: multipart/mixed; boundary=\"X\"\nMIME-Version: 1.0\n\n--X\n{parts}{end}")
        };
        good(&whole(
            "Content-Type: text/cloud-config\n\nhostname: a\n--X\nContent-Type: text/x-shellscript\n\n#!/bin/sh\nls\n",
            "--X--\n",
        ));
        bad(&whole("Content-Type: text/cloud-config\n\n- a\n", "--X--\n"), "Part 1: A #cloud-config is a mapping");
        bad(&whole("Content-Type: text/x-shellscript\n\nls\n", "--X--\n"), "Part 1: A script begins with #!");
        bad(&whole("Content-Type: text/x-shellscript\n\n#!/bin/sh\nls\n", ""), "--X--, is missing");
        bad(&whole("Content-Type: image/png\n\nx\n", "--X--\n"), "image/png is not known");
        // `- a`
        let coded = "Content-Type: text/cloud-config\nContent-Transfer-Encoding: base64\n\nLSBh\nCg==\n";
        bad(&whole(coded, "--X--\n"), "Part 1: A #cloud-config is a mapping");
        bad(&whole("Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!\n", "--X--\n"), "not in Base64");
        bad("Content-Type: multipart/mixed\n\nx", "names no boundary");
        bad(
            "#cloud-config-archive\n- type: text/cloud-config\n  content: '- a'\n",
            "Part 1: A #cloud-config is a mapping",
        );
        good("#cloud-config-archive\n- |\n  #!/bin/sh\n  ls\n");
    }

    #[test]
    fn texts_that_no_machine_knows_are_said_so() {
        bad("hello", "begins with nothing");
        bad(" \n", "empty");
        bad("a\0b", "null character");
        bad("#include\nnonsense\n", "Line 2 is no URL");
        good("#include\nhttps://example.net/userdata\n");
        good("## template: jinja\n#cloud-config\nhostname: {{ ds.meta_data.hostname }}\n");
        bad("## template: jinja\n#cloud-config\nhostname: {{ ds\n", "not closed");
        assert!(!check(&"#".repeat(LONGEST + 1)).is_empty());
    }
}
