//! Rows of every type, proportioned as in the real database.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::Row;

/// When everything was last changed that nobody touched since: 2024-01-01T00:00:00Z, in seconds since 1970.
pub const EPOCH: i64 = 1_704_067_200;

/// How many there are.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Networks.
    pub networks: i64,
    /// Ports of networks at exchanges.
    pub ports: i64,
    /// Exchanges, each with one peering network.
    pub exchanges: i64,
}

impl Size {
    /// About what the real database has.
    pub const REAL: Self = Self { networks: 30_000, ports: 60_000, exchanges: 1_300 };

    /// A world of so many networks, with everything else in proportion.
    pub const fn of(networks: i64) -> Self {
        let exchanges = networks * 13 / 300;
        Self { networks, ports: networks * 2, exchanges: if exchanges < 2 { 2 } else { exchanges } }
    }

    const fn facilities(self) -> i64 {
        self.networks / 6 + 2
    }
}

type Rows = BTreeMap<&'static str, BTreeMap<i64, Row>>;

/// Numbers that look random and are the same in every run.
const fn mix(a: i64, b: i64) -> i64 {
    let mut x = (a as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (b as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 1) as i64
}

const fn pick(a: i64, b: i64, of: i64) -> i64 {
    mix(a, b) % of
}

const CITIES: &[(&str, &str, &str)] = &[
    ("Amsterdam", "NL", "Europe"),
    ("Frankfurt am Main", "DE", "Europe"),
    ("S\u{e3}o Paulo", "BR", "South America"),
    ("Ashburn", "US", "North America"),
    ("\u{6771}\u{4eac}", "JP", "Asia Pacific"),
    ("Nairobi", "KE", "Africa"),
    ("Sydney", "AU", "Australia"),
    ("Dubai", "AE", "Middle East"),
];

fn city(n: i64) -> (&'static str, &'static str, &'static str) {
    CITIES[usize::try_from(pick(n, 11, CITIES.len() as i64)).unwrap_or(0)]
}

/// A moment as the database writes it.
pub fn moment(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Howard Hinnant's derivation: years begin in March, so that the leap day is the last one.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// The AS number of a network: none that is for private use.
pub const fn asn(network: i64) -> i64 {
    131_072 + network * 7
}

/// Rows of a type: `write` adds the fields between the number and the times.
fn all(rows: &mut Rows, name: &'static str, many: i64, write: impl Fn(&mut String, i64)) {
    let shelf = rows.entry(name).or_default();
    for id in 1..=many {
        let updated = EPOCH - pick(id, 3, 100_000_000);
        let mut text = format!("{{\"id\":{id},");
        write(&mut text, id);
        let (made, changed) = (moment(updated - 86_400), moment(updated));
        add(&mut text, format_args!(",\"created\":\"{made}\",\"updated\":\"{changed}\",\"status\":\"ok\"}}"));
        shelf.insert(id, Row { updated, deleted: false, text: text.into() });
    }
}

fn add(text: &mut String, what: std::fmt::Arguments<'_>) {
    text.write_fmt(what).expect("writing to a text cannot fail");
}

const PLACE: &str = "\"address1\":\"Some Street 1\",\"address2\":\"\",\"state\":\"\",\"zipcode\":\"1012 AB\",\"latitude\":52.37,\
                     \"longitude\":4.9,\"suite\":\"\",\"floor\":\"\"";

pub(crate) fn fill(rows: &mut Rows, size: Size) {
    let Size { networks, ports, exchanges } = size;
    let facilities = size.facilities();
    let orgs = networks + networks / 10 + 2;
    let campuses = facilities / 30 + 1;
    let carriers = networks / 20 + 1;
    all(rows, "org", orgs, |t, n| {
        let (city, country, _) = city(n);
        add(
            t,
            format_args!(
                "\"name\":\"Organization {n}\",\"name_long\":\"\",\"aka\":\"\",\"website\":\"https://org{n}.example\",\"notes\":\"\",\
             \"social_media\":[],\"logo\":null,\"city\":\"{city}\",\"country\":\"{country}\",{PLACE}"
            ),
        );
    });
    all(rows, "campus", campuses, |t, n| {
        let org = pick(n, 21, orgs) + 1;
        add(
            t,
            format_args!(
                "\"org_id\":{org},\"name\":\"Campus {n}\",\"name_long\":null,\"aka\":null,\"website\":\"\",\"notes\":\"\",\
             \"social_media\":[],\"city\":\"Here\",\"country\":\"NL\",\"state\":\"\",\"zipcode\":\"\""
            ),
        );
    });
    all(rows, "fac", facilities, |t, n| {
        let (city, country, region) = city(n);
        let campus = if n % 20 == 0 { (pick(n, 31, campuses) + 1).to_string() } else { "null".to_owned() };
        add(
            t,
            format_args!(
                "\"org_id\":{},\"campus_id\":{campus},\"name\":\"Facility {n}\",\"name_long\":\"\",\"aka\":\"\",\
             \"website\":\"https://fac{n}.example\",\"notes\":\"\",\"clli\":\"\",\"rencode\":\"\",\"npanxx\":\"\",\
             \"tech_email\":\"noc@fac{n}.example\",\"tech_phone\":\"\",\"sales_email\":\"\",\"sales_phone\":\"\",\
             \"property\":\"Owner\",\"diverse_serving_substations\":{},\"available_voltage_services\":[\"48 VDC\"],\
             \"city\":\"{city}\",\"country\":\"{country}\",\"region_continent\":\"{region}\",\"net_count\":3,{PLACE}",
                pick(n, 32, orgs) + 1,
                if n % 3 == 0 { "null" } else { "true" },
            ),
        );
    });
    all(rows, "carrier", carriers, |t, n| {
        add(
            t,
            format_args!(
                "\"org_id\":{},\"name\":\"Carrier {n}\",\"name_long\":\"\",\"aka\":\"\",\"website\":\"\",\"notes\":\"\",\"social_media\":[]",
                pick(n, 41, orgs) + 1
            ),
        );
    });
    all(rows, "carrierfac", facilities, |t, n| {
        add(t, format_args!("\"carrier_id\":{},\"fac_id\":{n},\"name\":\"Facility {n}\"", pick(n, 42, carriers) + 1));
    });
    all(rows, "net", networks, network);
    all(rows, "ix", exchanges, |t, n| {
        let (city, country, region) = city(n);
        add(
            t,
            format_args!(
                "\"org_id\":{},\"name\":\"IX {n}\",\"name_long\":\"Internet Exchange {n}\",\"aka\":\"\",\"city\":\"{city}\",\
             \"country\":\"{country}\",\"region_continent\":\"{region}\",\"media\":\"Ethernet\",\"notes\":\"\",\
             \"proto_unicast\":true,\"proto_multicast\":false,\"proto_ipv6\":true,\"website\":\"https://ix{n}.example\",\
             \"url_stats\":\"\",\"tech_email\":\"noc@ix{n}.example\",\"tech_phone\":\"\",\"policy_email\":\"\",\"policy_phone\":\"\",\
             \"sales_email\":\"\",\"sales_phone\":\"\",\"ixf_net_count\":0,\"ixf_last_import\":null,\
             \"service_level\":\"24/7 Support\",\"terms\":\"Recurring Fees\"",
                pick(n, 61, orgs) + 1
            ),
        );
    });
    all(rows, "ixfac", exchanges * 3, |t, n| {
        let (ix, fac) = (
            (n - 1) / 3 + 1,
            ((n - 1) % 3 * (facilities / 3) + (n - 1) / 3 % (facilities / 3).max(1)) % facilities + 1,
        );
        add(
            t,
            format_args!("\"ix_id\":{ix},\"fac_id\":{fac},\"name\":\"Facility {fac}\",\"city\":\"\",\"country\":\"\""),
        );
    });
    all(rows, "ixlan", exchanges, |t, n| {
        add(
            t,
            format_args!(
                "\"ix_id\":{n},\"name\":\"\",\"descr\":\"\",\"mtu\":{},\"vlan\":null,\"dot1q_support\":false,\"rs_asn\":{},\
             \"arp_sponge\":null,\"ixf_ixp_member_list_url\":\"\",\"ixf_ixp_member_list_url_visible\":\"Private\"",
                if n % 4 == 0 { 9000 } else { 1500 },
                if n % 2 == 0 { (1_000 + n).to_string() } else { "null".to_owned() },
            ),
        );
    });
    all(rows, "ixpfx", exchanges * 2, |t, n| {
        let lan = (n - 1) / 2 + 1;
        let (protocol, prefix) = if n % 2 == 1 {
            ("IPv4", format!("{}/20", v4(lan, 0)))
        } else {
            ("IPv6", format!("2001:7f8:{lan:x}::/64"))
        };
        add(
            t,
            format_args!(
                "\"ixlan_id\":{lan},\"protocol\":\"{protocol}\",\"prefix\":\"{prefix}\",\"in_dfz\":false,\"notes\":\"\""
            ),
        );
    });
    all(rows, "netfac", networks + networks * 7 / 10, |t, n| {
        let (net, round) = ((n - 1) % networks + 1, (n - 1) / networks);
        let fac = (pick(net, 71, facilities) + round) % facilities + 1;
        add(
            t,
            format_args!(
                "\"net_id\":{net},\"fac_id\":{fac},\"local_asn\":{},\"name\":\"Facility {fac}\",\"city\":\"\",\"country\":\"\"",
                asn(net)
            ),
        );
    });
    all(rows, "netixlan", ports, |t, n| port(t, n, size));
    all(rows, "poc", networks + networks / 5, |t, n| {
        let net = (n - 1) % networks + 1;
        let role = if n <= networks { "NOC" } else { "Policy" };
        add(
            t,
            format_args!(
                "\"net_id\":{net},\"role\":\"{role}\",\"visible\":\"Public\",\"name\":\"{role} {n}\",\"phone\":\"\",\
             \"email\":\"peering@net{net}.example\",\"url\":\"\""
            ),
        );
    });
}

fn network(t: &mut String, n: i64) {
    const TYPES: &[&str] = &["NSP", "Content", "Cable/DSL/ISP", "Enterprise", "Educational/Research", "Non-Profit"];
    const POLICIES: &[&str] = &["Open", "Open", "Open", "Selective", "Restrictive", "No"];
    let of = |list: &[&'static str], salt| list[usize::try_from(pick(n, salt, list.len() as i64)).unwrap_or(0)];
    let (kind, policy, asn) = (of(TYPES, 51), of(POLICIES, 52), asn(n));
    add(
        t,
        format_args!(
            "\"org_id\":{n},\"asn\":{asn},\"name\":\"Network {n}\",\"name_long\":\"\",\"aka\":\"\",\"irr_as_set\":\"AS{asn}:AS-NET{n}\",\
         \"website\":\"https://net{n}.example\",\"looking_glass\":\"\",\"route_server\":\"\",\"notes\":\"We peer.\\nWrite to us.\",\
         \"info_traffic\":\"1-5Gbps\",\"info_ratio\":\"Balanced\",\"info_scope\":\"Regional\",\"info_type\":\"{kind}\",\
         \"info_types\":[\"{kind}\"],\"info_prefixes4\":{},\"info_prefixes6\":{},\"info_unicast\":true,\"info_multicast\":false,\
         \"info_ipv6\":true,\"info_never_via_route_servers\":false,\"policy_url\":\"\",\"policy_general\":\"{policy}\",\
         \"policy_locations\":\"Not Required\",\"policy_ratio\":false,\"policy_contracts\":\"Not Required\",\
         \"netixlan_updated\":null,\"social_media\":[],\"ix_count\":2,\"fac_count\":2,\"rir_status\":\"ok\"",
            pick(n, 53, 2000),
            pick(n, 54, 300),
        ),
    );
}

/// An IPv4 address in the network of a peering network: 4,096 for each, from 10.0.0.0 on.
fn v4(lan: i64, host: i64) -> std::net::Ipv4Addr {
    let number = (10 << 24) + (lan - 1) % 4096 * 4096 + host;
    std::net::Ipv4Addr::from(u32::try_from(number).unwrap_or_default())
}

fn port(t: &mut String, n: i64, size: Size) {
    let net = (n - 1) % size.networks + 1;
    // Each network is at some exchanges, and every fourth one twice at the same.
    let round = (n - 1) / size.networks;
    let round = if net % 4 == 0 { 0 } else { round };
    let lan = (pick(net, 81, size.exchanges) + round) % size.exchanges + 1;
    // Hosts of one peering network are apart because their numbers are.
    let host = n % 4000 + 10;
    let v6 = if n % 10 == 9 { "null".to_owned() } else { format!("\"2001:7f8:{lan:x}::{n:x}\"") };
    let facilities = size.facilities();
    let side = if n % 5 == 0 { (pick(n, 82, facilities) + 1).to_string() } else { "null".to_owned() };
    let asn = asn(net);
    add(
        t,
        format_args!(
            "\"net_id\":{net},\"ix_id\":{lan},\"name\":\"IX {lan}\",\"ixlan_id\":{lan},\"asn\":{asn},\"ipaddr4\":\"{}\",\"ipaddr6\":{v6},\
         \"is_rs_peer\":{},\"bfd_support\":false,\"notes\":\"\",\"speed\":10000,\"operational\":true,\
         \"net_side_id\":{side},\"ix_side_id\":{side}",
            v4(lan, host),
            n % 3 == 0,
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_json_and_refers_to_rows_that_are_there() {
        let register = crate::Register::of(Size::of(120));
        let rows = register.rows();
        let mut seen = 0;
        for (name, of_type) in rows.iter() {
            for (id, row) in of_type {
                let row: serde_json::Value =
                    serde_json::from_str(&row.text).unwrap_or_else(|e| panic!("{name} {id}: {e}"));
                let targets =
                    [("org_id", "org"), ("fac_id", "fac"), ("net_id", "net"), ("ixlan_id", "ixlan"), ("ix_id", "ix")];
                for (field, to) in targets {
                    let Some(number) = row[field].as_i64() else { continue };
                    assert!(rows[to].contains_key(&number), "{name} {id}: no {to} {number}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 1000 && rows.len() == crate::TYPES.len());
    }

    #[test]
    fn a_moment_is_written_as_the_database_does() {
        assert_eq!(moment(EPOCH), "2024-01-01T00:00:00Z");
        assert_eq!(moment(951_782_399), "2000-02-28T23:59:59Z");
    }
}
