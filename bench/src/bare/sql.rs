//! The statements of the bare program: one for each kind of request, over the store's own tables.

/// What is asked of the bare program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One autonomous system.
    Network(i64),
    /// The first autonomous systems.
    Networks(i64),
    /// The first with this text in the name.
    NetworksNamed(i64, String),
    /// One session.
    Session(i64),
    /// The first sessions.
    Sessions(i64),
    /// The first at this exchange.
    SessionsAt(i64, i64),
    /// Servers by site and plan: how many are free, of how many.
    Capacity,
    /// The machines of a project.
    Machines,
}

impl Ask {
    /// Which of [`statements`] answers it.
    pub fn statement(&self) -> usize {
        match self {
            Self::Network(_) => 0,
            Self::Networks(_) => 1,
            Self::NetworksNamed(..) => 2,
            Self::Session(_) => 3,
            Self::Sessions(_) => 4,
            Self::SessionsAt(..) => 5,
            Self::Capacity => 6,
            Self::Machines => 7,
        }
    }

    /// How many rows at most, when it is a list.
    pub fn limit(&self) -> Option<i64> {
        match self {
            Self::Network(_) | Self::Session(_) | Self::Capacity | Self::Machines => None,
            Self::Networks(limit) | Self::NetworksNamed(limit, _) => Some(*limit),
            Self::Sessions(limit) | Self::SessionsAt(limit, _) => Some(*limit),
        }
    }
}

const NETWORK: &str =
    "a.id, a.f_asn, a.f_name, a.f_sync_name, a.f_description, a.f_comments, a.f_as_set, a.f_sync_as_set,
 a.f_max6, a.f_sync_max6, a.f_max4, a.f_sync_max4, a.f_ours, a.created, a.updated";
/// Where a list's rows have the count.
pub const NETWORK_COUNT: usize = 15;

const SESSION: &str = "s.id, s.f_reference, s.f_ip, s.f_admin, s.f_ttl, s.f_passive, s.f_route_server, s.f_received,
 s.f_accepted, s.f_advertised, s.f_comments, s.created, s.updated, a.id, a.f_asn, a.f_name, a.f_max6, a.f_max4, l.id,
 l.f_ip4, x.f_name, r.f_name";
/// Where a list's rows have the count.
pub const SESSION_COUNT: usize = 22;

const JOINS: &str = "JOIN k_autonomous_system a ON a.id = s.e_remote JOIN k_exchange_link l ON l.id = s.e_link
 JOIN k_exchange x ON x.id = l.e_exchange JOIN k_router r ON r.id = l.e_router";
const ORDER: &str = "s.f_reference NULLS FIRST, s.f_asn NULLS FIRST, s.e_link NULLS FIRST, s.f_ip NULLS FIRST, s.id";
const PAGE: &str = "s.id, s.f_reference, s.f_ip, s.f_admin, s.f_ttl, s.f_passive, s.f_route_server, s.f_received,
 s.f_accepted, s.f_advertised, s.f_comments, s.created, s.updated, s.f_asn, s.e_remote, s.e_link";

const CAPACITY: &str = "SELECT w.f_slug, p.f_slug, CAST(g.free AS BIGINT), CAST(g.total AS BIGINT) FROM
 (SELECT s.e_site AS site, s.e_plan AS plan, count(*) AS total, sum(CASE WHEN c.item IS NULL THEN 1 ELSE 0 END) AS free
  FROM k_server s LEFT JOIN claim c ON c.pool = 'servers.' || s.e_site || '.' || s.e_plan AND c.item = s.id
  WHERE s.f_in_service = 1 AND s.f_spare = 0 GROUP BY s.e_site, s.e_plan) g
 JOIN k_site w ON w.id = g.site JOIN k_plan p ON p.id = g.plan ORDER BY w.f_slug, p.f_slug";

/// A page of machines, the youngest first, with their addresses and ports behind each of them: the third column says what a row is.
const MACHINES: &str = "WITH d AS (SELECT d.id, d.uid, d.f_hostname, d.created, d.updated FROM k_device d
  JOIN k_project p ON p.id = d.tenant WHERE p.uid = $1 AND d.f_form = 'metal' AND d.f_wanted <> 'gone'
  ORDER BY d.created DESC, d.id DESC LIMIT 1000)
 SELECT d.created, d.id, CAST(0 AS BIGINT), CAST(d.id AS BIGINT), d.uid, d.f_hostname, d.updated, NULL, NULL, NULL,
  (SELECT count(*) FROM k_device c JOIN k_project p ON p.id = c.tenant WHERE p.uid = $1 AND c.f_form = 'metal'
   AND c.f_wanted <> 'gone'), NULL FROM d
 UNION ALL SELECT d.created, d.id, 1, a.id, a.uid, NULL, a.f_public, a.f_ip, b.uid, NULL, a.created, b.f_prefix
  FROM d JOIN k_address a ON a.e_device = d.id JOIN k_block b ON b.id = a.e_block
 UNION ALL SELECT d.created, d.id, 2, p.id, p.uid, p.f_name, CASE WHEN p.f_shape = 'bond' THEN 1 ELSE 0 END, NULL, l.uid,
  p.f_mac, 0, NULL FROM d JOIN k_port p ON p.e_device = d.id LEFT JOIN k_port l ON l.id = p.e_leader
 ORDER BY 1 DESC, 2 DESC, 3, 4";

/// Whose book the data set is in: asked once, so that lists can be read in the order of the store's indexes, which begin with it.
pub const HOME: &str = "SELECT tenant FROM k_exchange_session LIMIT 1";

/// The statements, in the order of [`Ask::statement`].
pub fn statements(home: i64) -> [String; 8] {
    let network = |rest: &str| format!("SELECT {NETWORK} FROM k_autonomous_system a {rest}");
    let networks = |which: &str| {
        format!(
            "SELECT {NETWORK}, (SELECT count(*) FROM k_autonomous_system a {which}) FROM k_autonomous_system a {which}
             ORDER BY a.f_asn NULLS FIRST, a.id LIMIT $1"
        )
    };
    let sessions = |which: &str| {
        format!(
            "SELECT {SESSION}, (SELECT count(*) FROM k_exchange_session s {which})
             FROM (SELECT {PAGE} FROM k_exchange_session s {which} ORDER BY {ORDER} LIMIT $1) s {JOINS} ORDER BY {ORDER}"
        )
    };
    [
        network("WHERE a.id = $1"),
        networks(""),
        networks("WHERE a.c_name LIKE $2"),
        format!("SELECT {SESSION} FROM k_exchange_session s {JOINS} WHERE s.id = $1"),
        sessions(&format!("WHERE s.tenant = {home}")),
        sessions(&format!("JOIN k_exchange_link l ON l.id = s.e_link WHERE s.tenant = {home} AND l.e_exchange = $2")),
        CAPACITY.to_owned(),
        MACHINES.to_owned(),
    ]
}
