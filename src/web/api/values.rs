//! Conversion of request values to domain types.

use app::client::Kind;
use domain::client::Standing;
use domain::policy::{PersonalTokens, Plan};
use domain::role::Role;
use wire::api;

pub fn role(sent: api::Role) -> Role {
    match sent {
        api::Role::Member => Role::Member,
        api::Role::Admin => Role::Admin,
        api::Role::Owner => Role::Owner,
    }
}

pub fn plan(sent: api::Plan) -> Plan {
    match sent {
        api::Plan::Free => Plan::Free,
        api::Plan::Team => Plan::Team,
    }
}

pub fn personal_tokens(sent: api::PersonalTokens) -> PersonalTokens {
    match sent {
        api::PersonalTokens::Members => PersonalTokens::Members,
        api::PersonalTokens::Admins => PersonalTokens::Admins,
    }
}

pub fn client_kind(sent: api::ClientKind) -> Kind {
    match sent {
        api::ClientKind::Public => Kind::Public,
        api::ClientKind::Confidential => Kind::Confidential,
    }
}

pub fn client_state(sent: api::ClientState) -> Standing {
    match sent {
        api::ClientState::Active => Standing::Active,
        api::ClientState::Disabled => Standing::Disabled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::audit::Actor;
    use domain::audit::discrepancy;
    use domain::audit::record::{Method, Outcome};
    use utoipa::PartialSchema;

    /// The values that the API describes.
    fn described<T: PartialSchema>() -> Vec<String> {
        let schema = serde_json::to_value(T::schema()).unwrap();
        let values = schema["enum"].as_array().unwrap();
        let values = values
            .iter()
            .map(|value| value.as_str().unwrap().to_owned());
        values.collect()
    }

    #[test]
    fn described_values_are_those_of_the_domain() {
        assert_eq!(described::<api::Role>(), Role::ALL.map(Role::as_str));
        assert_eq!(described::<api::Plan>(), Plan::ALL.map(Plan::as_str));
        let personal_tokens = PersonalTokens::ALL.map(PersonalTokens::as_str);
        assert_eq!(described::<api::PersonalTokens>(), personal_tokens);
        assert_eq!(described::<api::ActorKind>(), Actor::KINDS);
        let outcomes: Vec<_> = Outcome::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(described::<api::AuditOutcome>(), outcomes);
        let methods: Vec<_> = Method::ALL.iter().map(|one| one.as_str()).collect();
        assert_eq!(described::<api::AuthenticationMethod>(), methods);
        let kinds = discrepancy::Kind::ALL.iter();
        let kinds: Vec<_> = kinds.map(|one| one.as_str()).collect();
        assert_eq!(described::<api::DiscrepancyKind>(), kinds);
    }
}
