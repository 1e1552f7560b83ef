//! The commands that turn one configuration into another.
//!
//! What is new comes first, under names that nothing uses yet; then the neighbours are told of it, each setting by the one
//! command that replaces the old; then goes what nothing uses any more. So there is no moment at which a session has no policy
//! or half of one, and a session that does not change is not touched.
//!
//! FRR's own reloader, which knows how to take away everything FRR can be told, has the last word on what is left after this.
//! It takes a process for each line it removes, and removes before it adds.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{Node, Shape, exit, key, keys, put};

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
    for node in rest.into_iter().chain(routers) {
        match had.get(&node.line) {
            None => put(&mut out, node, 0),
            Some(had) => within(&mut out, node, had),
        }
    }
    let gone: BTreeMap<String, &str> =
        from.iter().map(|node| (key(&node.line), node.line.as_str())).filter(|(key, _)| !kept.contains(key)).collect();
    for (key, line) in gone {
        let is_named = key != line && key != "router bgp" && !line.starts_with("no ");
        out.push_str(&format!("{}\n", if is_named { format!("no {key}") } else { negated(line) }));
    }
    out
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
        if wanted.get(line).is_some() {
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
        ["neighbor", _, "timers", "connect", ..] => of(4),
        ["neighbor", peer, "route-map", _, direction] => format!("neighbor {peer} route-map {direction}"),
        ["neighbor", _, what, ..] if HAVE_A_VALUE.contains(&what) => of(3),
        ["match", "ip" | "ipv6", ..] => of(4),
        ["match" | "set", ..] | ["bgp", "router-id", ..] | ["network", ..] => of(2),
        ["on-match" | "table-map", ..] => of(1),
        _ => line.to_owned(),
    }
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
            "router bgp 1\n bgp router-id 1.1.1.1\n neighbor 192.0.2.2 remote-as 2\n neighbor 192.0.2.2 timers 3 9\n neighbor 192.0.2.3 remote-as 3\n neighbor 192.0.2.3 shutdown\n neighbor 192.0.2.3 timers connect 4\n address-family ipv4 unicast\n  network 10.0.0.0/8 route-map x\n  neighbor 192.0.2.2 activate\n  neighbor 192.0.2.3 activate\n  neighbor 192.0.2.3 maximum-prefix 4 restart 1 force\n exit-address-family\nexit\n",
            "router bgp 1\n bgp router-id 1.1.1.1\n neighbor 192.0.2.3 remote-as 3\nexit\n",
            "router bgp 1\n address-family ipv4 unicast\n  no neighbor 192.0.2.3 activate\n  no neighbor 192.0.2.3 maximum-prefix\n  no network 10.0.0.0/8 route-map x\n exit-address-family\n no neighbor 192.0.2.2\n no neighbor 192.0.2.3 shutdown\n no neighbor 192.0.2.3 timers connect\nexit",
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
