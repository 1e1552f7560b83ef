//! The dialect's names of permissions, told from the roles somebody has. They only inform a client; what is allowed is the core's to say.

use meetme_app::standing::Standing;
use meetme_model::access::{Grant, Role};

/// All that a company's administrator may do.
const ADMIN: &[&str] = &[
    "admin",
    "company_admin",
    "end_user",
    "financials",
    "place_order",
    "approve_order",
    "modify_service",
    "services",
    "graphs",
    "tickets",
    "tools",
    "notifications",
    "marketing",
    "create_employee",
    "create_sub_agency",
];

/// The built-in roles in this dialect's words.
const ROLES: &[(&str, &[&str])] = &[
    ("owner", ADMIN),
    ("admin", ADMIN),
    ("technical_admin", &["place_order", "modify_service", "services", "graphs", "tickets", "tools"]),
    ("technical_contact", &["services", "graphs", "tickets", "tools"]),
    ("finance", &["financials", "approve_order", "services"]),
    ("financial_contact", &["financials"]),
    ("company_admin", &["company_admin", "create_employee"]),
    ("billing", &["financials"]),
    ("read_only", &["services", "graphs"]),
    ("member", &["services", "graphs"]),
    ("collaborator", &["place_order", "modify_service", "services", "graphs"]),
    ("limited_collaborator", &["services", "graphs"]),
];

/// What a role of a company's own making is told by: the permission, and the right that stands for it.
const RIGHTS: &[(&str, &str)] =
    &[("place_order", "create"), ("modify_service", "change"), ("services", "see"), ("graphs", "see")];

/// The permissions that go with a standing, each once, in a fixed order.
pub fn names(standing: &Standing, read_only: bool) -> Vec<&'static str> {
    let mut out: Vec<&'static str> = if standing.everything { ADMIN.to_vec() } else { Vec::new() };
    for role in &standing.roles {
        out.extend(of_role(&role.spec));
    }
    out.sort_by_key(|name| ADMIN.iter().position(|known| known == name));
    out.dedup();
    if read_only {
        out.retain(|name| matches!(*name, "services" | "graphs"));
    }
    out
}

fn of_role(role: &Role) -> Vec<&'static str> {
    if role.builtin {
        return ROLES.iter().find(|(name, _)| *name == role.name).map_or(Vec::new(), |(_, names)| names.to_vec());
    }
    if role.grants.iter().any(is_everything) {
        return ADMIN.to_vec();
    }
    let has = |verb: &str| {
        role.grants.iter().any(|grant| grant.filter.is_none() && speaks_of_circuits(grant) && gives(grant, verb))
    };
    RIGHTS.iter().filter(|(_, verb)| has(verb)).map(|(name, _)| *name).collect()
}

fn is_everything(grant: &Grant) -> bool {
    let all = |list: &[String]| list.iter().any(|word| word == "*");
    grant.filter.is_none() && grant.fields.is_none() && all(&grant.kinds) && all(&grant.verbs)
}

fn speaks_of_circuits(grant: &Grant) -> bool {
    grant.kinds.iter().any(|kind| matches!(kind.as_str(), "*" | "@fabric" | "@order" | "circuit"))
}

fn gives(grant: &Grant, verb: &str) -> bool {
    grant.verbs.iter().any(|given| given == "*" || given == verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, builtin: bool, kinds: &str, verbs: &str) -> Role {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        let grant = Grant { kinds: words(kinds), verbs: words(verbs), fields: None, filter: None };
        Role { name: name.to_owned(), builtin, grants: vec![grant], ..Role::default() }
    }

    #[test]
    fn a_role_of_ones_own_is_called_by_what_it_may_do_to_circuits() {
        assert_eq!(of_role(&role("ours", false, "circuit", "see create")), ["place_order", "services", "graphs"]);
        assert_eq!(of_role(&role("ours", false, "device", "see create")), Vec::<&str>::new());
        assert_eq!(of_role(&role("ours", false, "*", "*")), ADMIN);
    }

    #[test]
    fn a_built_in_role_has_a_fixed_set() {
        assert_eq!(of_role(&role("financial_contact", true, "price", "see")), ["financials"]);
        // The same name on a role that somebody made means nothing.
        assert_eq!(of_role(&role("owner", false, "device", "see")), Vec::<&str>::new());
    }
}
