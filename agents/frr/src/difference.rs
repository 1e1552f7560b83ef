//! The commands that turn one configuration into another.
//!
//! What is new comes first, under names that nothing uses yet; then the neighbours are told of it, each setting by the one
//! command that replaces the old; then goes what nothing uses any more. So there is no moment at which a session has no policy
//! or half of one, and a session that does not change is not touched. A new session is shut while it is written down, and one
//! that was shut stays so until all of the rest is said: FRR counts prefixes as they arrive, so the limit must stand before.
//!
//! FRR's own reloader, which knows how to take away everything FRR can be told, has the last word on what is left after this.
//! It takes a process for each line it removes, and removes before it adds.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{BFD, Node, Shape, exit, key, keys, put};

/// Commands for `vtysh -f`; nothing when the two say the same.
pub fn commands(from: &[Node], to: &[Node]) -> String {
    let (had, wanted, kept) = (Shape::of(from), Shape::of(to), keys(to));
    let mut out = String::new();
    // Lines that somebody put into a list or map of ours; or another AS's instance, which must go before the new one comes.
    for node in from.iter().filter(|node| wanted.get(&node.line).is_none() && kept.contains(&key(&node.line))) {
        if !is_setting(&node.line) {
            out.push_str(&format!("{}\n", negated(&node.line)));
        }
    }
    let (routers, rest): (Vec<&Node>, Vec<&Node>) = to.iter().partition(|node| node.line.starts_with("router "));
    for node in rest {
        match had.get(&node.line) {
            None => put(&mut out, node, 0),
            Some(had) if node.line == BFD => profiles(&mut out, node, had),
            Some(had) => within(&mut out, node, had),
        }
    }
    let nothing = Shape::default();
    for node in routers {
        let had = had.get(&node.line);
        let held = shut_first(node, had.unwrap_or(&nothing));
        match had {
            None => put(&mut out, &held, 0),
            Some(had) => within(&mut out, &held, had),
        }
        let opened = opened(node, had.unwrap_or(&nothing));
        if !opened.is_empty() {
            out.push_str(&format!("{}\n{opened}{}\n", node.line, exit(&node.line)));
        }
    }
    let gone: BTreeMap<String, &str> =
        from.iter().map(|node| (key(&node.line), node.line.as_str())).filter(|(key, _)| !kept.contains(key)).collect();
    for (key, line) in gone.into_iter().filter(|(_, line)| *line != BFD) {
        let is_named = key != line && key != "router bgp" && !line.starts_with("no ");
        out.push_str(&format!("{}\n", if is_named { format!("no {key}") } else { negated(line) }));
    }
    // Never the whole context, in which others have their lines.
    if let Some(had) = had.get(BFD) {
        let gone = had.0.keys().filter(|line| wanted.get(BFD).and_then(|wanted| wanted.get(line)).is_none());
        inside_bfd(&mut out, &gone.map(|line| format!(" {}\n", negated(line))).collect::<String>());
    }
    out
}

/// What is new about forwarding detection. A profile that somebody has altered is made anew: what has its usual value cannot be
/// said by taking something away. What is to go goes later, when no neighbour refers to it any more.
fn profiles(out: &mut String, node: &Node, had: &Shape) {
    let mut lines = String::new();
    for inside in &node.inside {
        match had.get(&inside.line) {
            Some(had) if *had == Shape::of(&inside.inside) => continue,
            Some(_) => lines.push_str(&format!(" {}\n", negated(&inside.line))),
            None => {}
        }
        put(&mut lines, inside, 1);
    }
    inside_bfd(out, &lines);
}

fn inside_bfd(out: &mut String, lines: &str) {
    if !lines.is_empty() {
        out.push_str(&format!("{BFD}\n{lines}{}\n", exit(BFD)));
    }
}

/// The instance with every session shut that is to begin: as the second that is said of a new one, and, of one that was shut, by
/// the line it has already.
fn shut_first(router: &Node, had: &Shape) -> Node {
    let begin = beginning(router, had);
    let mut known = BTreeSet::new();
    let mut inside = Vec::with_capacity(router.inside.len() + begin.len());
    for node in &router.inside {
        inside.push(node.clone());
        if let Some(neighbour) = neighbour(&node.line).filter(|n| begin.contains(*n) && known.insert(*n)) {
            inside.push(Node::line(shutdown(neighbour)));
        }
    }
    Node { inside, ..router.clone() }
}

/// The lines that let these sessions begin.
fn opened(router: &Node, had: &Shape) -> String {
    beginning(router, had).into_iter().map(|neighbour| format!(" no {}\n", shutdown(neighbour))).collect()
}

/// The neighbours that are not to be shut, and are new or were. A group is not one: its members begin by themselves.
fn beginning<'a>(router: &'a Node, had: &Shape) -> BTreeSet<&'a str> {
    let (mut found, mut others) = (BTreeSet::new(), BTreeSet::new());
    let known: BTreeSet<&str> = had.0.keys().filter_map(|line| neighbour(line)).collect();
    for line in router.inside.iter().map(|node| node.line.as_str()) {
        let Some(name) = neighbour(line) else { continue };
        let is_shut = line == shutdown(name);
        let is_group = line.ends_with(" peer-group") && line.split(' ').count() == 3;
        if is_shut || is_group {
            others.insert(name);
        } else if !known.contains(name) || had.get(&shutdown(name)).is_some() {
            found.insert(name);
        }
    }
    &found - &others
}

fn shutdown(neighbour: &str) -> String {
    format!("neighbor {neighbour} shutdown")
}

/// Whether a line at the top is a setting that the next one of its kind replaces.
fn is_setting(line: &str) -> bool {
    matches!(line.trim_start_matches("no ").split(' ').next(), Some("log" | "hostname" | "domainname"))
}

/// A context that stays and changes inside.
fn within(out: &mut String, node: &Node, had: &Shape) {
    let mut lines = Vec::new();
    changes(&mut lines, &node.inside, had, &neighbours(&node.inside), 1);
    if !lines.is_empty() {
        out.push_str(&format!("{}\n", node.line));
        for (depth, line) in lines {
            out.push_str(&format!("{}{line}\n", " ".repeat(depth)));
        }
        out.push_str(&format!("{}\n", exit(&node.line)));
    }
}

/// The changes of one context, each with its depth. `stay` are the neighbours of the instance that are to be.
fn changes(out: &mut Vec<(usize, String)>, to: &[Node], had: &Shape, stay: &BTreeSet<String>, depth: usize) {
    let wanted = Shape::of(to);
    let replaced: BTreeSet<String> = to.iter().map(|node| slot(&node.line)).collect();
    let mut gone = BTreeSet::new();
    for (line, inside) in &had.0 {
        if wanted.get(line).is_some() || goes_with_another(line, had, &wanted) {
            continue;
        }
        if let Some(neighbour) = neighbour(line).filter(|neighbour| !stay.contains(*neighbour)) {
            // With the neighbour goes all that is said of it, here and in the address families.
            if depth == 1 && gone.insert(neighbour) {
                out.push((depth, format!("no neighbor {neighbour}")));
            }
        } else if line.starts_with("address-family ") {
            let mut lines = Vec::new();
            changes(&mut lines, &[], inside, stay, depth + 1);
            family(out, line, lines, depth);
        } else if !replaced.contains(&slot(line)) {
            out.push((depth, taken_away(line)));
        }
    }
    for node in to {
        match had.get(&node.line) {
            None if !node.is_context => out.push((depth, node.line.clone())),
            None => {
                let mut text = String::new();
                put(&mut text, node, 0);
                out.extend(text.lines().map(|line| (depth, line.to_owned())).filter(|(_, line)| line != "!"));
            }
            Some(had) if node.is_context => {
                let mut lines = Vec::new();
                changes(&mut lines, &node.inside, had, stay, depth + 1);
                family(out, &node.line, lines, depth);
            }
            Some(_) => {}
        }
    }
}

fn family(out: &mut Vec<(usize, String)>, line: &str, lines: Vec<(usize, String)>, depth: usize) {
    if !lines.is_empty() {
        out.push((depth, line.to_owned()));
        out.extend(lines);
        out.push((depth, exit(line).to_owned()));
    }
}

/// The neighbours that the lines of an instance speak of.
fn neighbours(inside: &[Node]) -> BTreeSet<String> {
    inside.iter().filter_map(|node| neighbour(&node.line)).map(str::to_owned).collect()
}

fn neighbour(line: &str) -> Option<&str> {
    line.strip_prefix("neighbor ")?.split(' ').next()
}

/// What a line sets: of two lines with the same slot the later one replaces the earlier one.
fn slot(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let of = |n: usize| words[..n.min(words.len())].join(" ");
    match words[..] {
        ["neighbor", _, "timers", "connect", ..] | ["neighbor", _, "bfd", "profile", ..] => of(4),
        // These are taken away with their values.
        ["neighbor", _, "local-role" | "ttl-security", ..] => of(3),
        ["neighbor", peer, "route-map", _, direction] => format!("neighbor {peer} route-map {direction}"),
        ["neighbor", _, what, ..] if HAVE_A_VALUE.contains(&what) => of(3),
        ["match", "ip" | "ipv6", ..] => of(4),
        ["match" | "set", ..] | ["bgp", "router-id", ..] | ["network", ..] => of(2),
        ["on-match" | "table-map", ..] => of(1),
        _ => line.to_owned(),
    }
}

/// Whether a line is taken away by what takes away another. FRR would begin anew to watch a neighbour whose profile is taken
/// away after the rest.
fn goes_with_another(line: &str, had: &Shape, wanted: &Shape) -> bool {
    line.split_once(" bfd profile ").is_some_and(|(neighbour, _)| {
        let whole = format!("{neighbour} bfd");
        had.get(&whole).is_some() && wanted.get(&whole).is_none()
    })
}

/// What is said of a neighbour with a value, and taken away without one.
const HAVE_A_VALUE: &[&str] =
    &["remote-as", "description", "password", "update-source", "ebgp-multihop", "local-as", "timers", "maximum-prefix"];

/// The command that takes a line inside a context away.
fn taken_away(line: &str) -> String {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["neighbor", _, what, ..] if HAVE_A_VALUE.contains(&what) => format!("no {}", slot(line)),
        _ => negated(line),
    }
}

fn negated(line: &str) -> String {
    line.strip_prefix("no ").map_or_else(|| format!("no {line}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[track_caller]
    fn check(from: &str, to: &str, commands: &str) {
        let (from, to) = (parse(from), parse(to));
        assert_eq!(super::commands(&from, &to).trim(), commands.trim());
        assert_eq!(super::commands(&to, &to), "");
    }

    #[test]
    fn a_new_policy_is_there_before_it_is_used_and_the_old_one_goes_last() {
        check(
            "route-map meetme-s1-in-a permit 10\nexit\nrouter bgp 1\n neighbor 192.0.2.2 remote-as 2\n neighbor 192.0.2.2 password x\n address-family ipv4 unicast\n  neighbor 192.0.2.2 activate\n  neighbor 192.0.2.2 route-map meetme-s1-in-a in\n exit-address-family\nexit\n",
            "router bgp 1\n neighbor 192.0.2.2 remote-as 2\n neighbor 192.0.2.2 password y\n address-family ipv4 unicast\n  neighbor 192.0.2.2 activate\n  neighbor 192.0.2.2 route-map meetme-s1-in-b in\n exit-address-family\nexit\nroute-map meetme-s1-in-b deny 10\nexit\n",
            "route-map meetme-s1-in-b deny 10\nexit\n!\nrouter bgp 1\n neighbor 192.0.2.2 password y\n address-family ipv4 unicast\n  neighbor 192.0.2.2 route-map meetme-s1-in-b in\n exit-address-family\nexit\nno route-map meetme-s1-in-a",
        );
    }

    #[test]
    fn a_neighbour_goes_with_all_that_is_said_of_it() {
        check(
            "router bgp 1\n bgp router-id 1.1.1.1\n neighbor 192.0.2.2 remote-as 2\n neighbor 192.0.2.2 timers 3 9\n neighbor 192.0.2.3 remote-as 3\n neighbor 192.0.2.3 shutdown\n neighbor 192.0.2.3 timers connect 4\n address-family ipv4 unicast\n  network 10.0.0.0/8 route-map x\n  neighbor 192.0.2.2 activate\n  neighbor 192.0.2.3 activate\n  neighbor 192.0.2.3 maximum-prefix 4 restart 1\n exit-address-family\nexit\n",
            "router bgp 1\n bgp router-id 1.1.1.1\n neighbor 192.0.2.3 remote-as 3\nexit\n",
            "router bgp 1\n address-family ipv4 unicast\n  no neighbor 192.0.2.3 activate\n  no neighbor 192.0.2.3 maximum-prefix\n  no network 10.0.0.0/8 route-map x\n exit-address-family\n no neighbor 192.0.2.2\n no neighbor 192.0.2.3 timers connect\nexit\nrouter bgp 1\n no neighbor 192.0.2.3 shutdown\nexit",
        );
    }

    #[test]
    fn a_session_begins_when_all_of_it_is_said() {
        check(
            "router bgp 1\n neighbor 192.0.2.3 remote-as 3\n neighbor 192.0.2.3 shutdown\n neighbor 192.0.2.4 remote-as 4\n neighbor 192.0.2.4 shutdown\nexit\n",
            "router bgp 1\n neighbor all peer-group\n neighbor 192.0.2.2 remote-as 2\n neighbor 192.0.2.2 passive\n neighbor 192.0.2.3 remote-as 3\n neighbor 192.0.2.4 remote-as 4\n neighbor 192.0.2.4 shutdown\n neighbor 192.0.2.5 remote-as 5\n neighbor 192.0.2.5 shutdown\n address-family ipv4 unicast\n  neighbor 192.0.2.2 maximum-prefix 4 restart 1\n  neighbor 192.0.2.2 activate\n  neighbor 192.0.2.3 activate\n exit-address-family\nexit\n",
            "router bgp 1\n neighbor all peer-group\n neighbor 192.0.2.2 remote-as 2\n neighbor 192.0.2.2 shutdown\n neighbor 192.0.2.2 passive\n neighbor 192.0.2.5 remote-as 5\n neighbor 192.0.2.5 shutdown\n address-family ipv4 unicast\n  neighbor 192.0.2.2 maximum-prefix 4 restart 1\n  neighbor 192.0.2.2 activate\n  neighbor 192.0.2.3 activate\n exit-address-family\nexit\nrouter bgp 1\n no neighbor 192.0.2.2 shutdown\n no neighbor 192.0.2.3 shutdown\nexit",
        );
    }

    #[test]
    fn profiles_come_before_who_uses_them_and_go_after_and_what_others_have_there_stays() {
        let with = |profile: &str, lines: &str| {
            format!(
                "bfd\n profile meetme-a\n{profile} exit\nexit\nrouter bgp 1\n neighbor 192.0.2.2 remote-as 2\n{lines}exit\n"
            )
        };
        let bare = "router bgp 1\n neighbor 192.0.2.2 remote-as 2\nexit\n";
        let used =
            " neighbor 192.0.2.2 bfd\n neighbor 192.0.2.2 bfd profile meetme-a\n neighbor 192.0.2.2 local-role peer\n";
        check(
            bare,
            &with("", used),
            "bfd\n profile meetme-a\n exit\nexit\n!\nrouter bgp 1\n neighbor 192.0.2.2 bfd\n neighbor 192.0.2.2 bfd profile meetme-a\n neighbor 192.0.2.2 local-role peer\nexit",
        );
        check(
            &with("", used),
            bare,
            "router bgp 1\n no neighbor 192.0.2.2 bfd\n no neighbor 192.0.2.2 local-role peer\nexit\nbfd\n no profile meetme-a\nexit",
        );
        check(
            &with("  transmit-interval 7\n", used),
            &with("", used),
            "bfd\n no profile meetme-a\n profile meetme-a\n exit\nexit",
        );
        check(
            &with("", used),
            &with("", &used.replace("local-role peer", "local-role customer")),
            "router bgp 1\n neighbor 192.0.2.2 local-role customer\nexit",
        );
    }

    #[test]
    fn an_altered_list_is_put_right_and_another_as_begins_anew() {
        check(
            "ip prefix-list meetme-a seq 5 permit 10.0.0.0/8\nlog file /a\nrouter bgp 1\n a\nexit\n",
            "ip prefix-list meetme-a seq 5 permit 11.0.0.0/8\nlog file /b\nrouter bgp 2\n a\nexit\n",
            "no ip prefix-list meetme-a seq 5 permit 10.0.0.0/8\nno router bgp 1\nip prefix-list meetme-a seq 5 permit 11.0.0.0/8\nlog file /b\nrouter bgp 2\n a\nexit\n!",
        );
    }

    #[test]
    fn what_is_denied_is_allowed_again_and_what_nobody_names_goes() {
        check(
            "router bgp 1\n no bgp default ipv4-unicast\nexit\nbgp community-list standard meetme-a seq 5 permit 1:1\nno ip forwarding\n",
            "router bgp 1\nexit\n",
            "router bgp 1\n bgp default ipv4-unicast\nexit\nno bgp community-list standard meetme-a\nip forwarding",
        );
    }
}
