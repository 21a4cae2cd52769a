//! A change takes effect for the very next request, on every server.

use super::{API, Api, ORIGINAL};
use crate::support::TestApp;
use crate::support::tenant::{input, text_of, user_of};
use doorcode::app::access::Caller;
use doorcode::domain::role::Role;
use futures_util::future::join_all;

/// Repetitions of each of the five changes: a thousand in all.
const ROUNDS: usize = 200;

/// Changes that end or reduce a token.
#[derive(Debug, Clone, Copy)]
enum Change {
    Revoke,
    /// Removed from the only organization, which ends the token.
    Remove,
    /// Removed from one of two organizations, which ends what the role there allowed.
    RemoveFromOne,
    Demote,
    Deactivate,
}

const CHANGES: [Change; 5] = [
    Change::Revoke,
    Change::Remove,
    Change::RemoveFromOne,
    Change::Demote,
    Change::Deactivate,
];

/// Permissions of a token, as reported by each of the three endpoints.
#[derive(Debug, PartialEq, Eq)]
enum Power {
    /// Active, with `app:deploy`.
    Whole,
    /// Active, without `app:deploy`.
    Less,
    /// Inactive.
    None,
}

/// Queries introspection, verification and the API concurrently.
async fn powers(server: &TestApp, token: &str) -> [Power; 3] {
    let verify = server
        .anon()
        .get(server.at("/auth/verify"))
        .header(ORIGINAL[0], "POST")
        .header(ORIGINAL[1], "/v1/organizations/acme/apps")
        .bearer_auth(token);
    let (introspection, verify, me) =
        tokio::join!(server.introspect(token), verify.send(), server.me(token));
    let me = match me.status().as_u16() {
        401 => Power::None,
        200 => {
            let me: serde_json::Value = me.json().await.unwrap();
            let scopes = me["scopes"].as_array().unwrap();
            match scopes.iter().any(|scope| scope == "app:deploy") {
                true => Power::Whole,
                false => Power::Less,
            }
        }
        status => panic!("{status}"),
    };
    let introspection = match introspection["scope"].as_str() {
        _ if introspection["active"] == false => Power::None,
        Some(scope) if scope.split(' ').any(|scope| scope == "app:deploy") => Power::Whole,
        _ => Power::Less,
    };
    let verify = match verify.unwrap().status().as_u16() {
        204 => Power::Whole,
        403 => Power::Less,
        401 => Power::None,
        status => panic!("{status}"),
    };
    [introspection, verify, me]
}

impl Change {
    fn leaves(self) -> [Power; 3] {
        match self {
            Self::Revoke | Self::Remove | Self::Deactivate => {
                [Power::None, Power::None, Power::None]
            }
            // Introspection names no organization, so the home organization must allow the token.
            Self::RemoveFromOne => [Power::None, Power::Less, Power::Less],
            Self::Demote => [Power::Less, Power::Less, Power::Less],
        }
    }

    /// Applies and reverts the change in each round, and checks before and after it.
    async fn rounds(self, api: &Api, other: &TestApp, caller: &Caller) -> usize {
        let test = &api.test;
        let active = format!(
            "UPDATE users SET state = 'active' WHERE id = '{}'",
            user_of(caller)
        );
        for round in 0..ROUNDS {
            let server = [test, other][round % 2];
            test.add_member(&api.acme, caller, Role::Admin).await;
            let made = test.token_of(caller, input(&["app:read", "app:deploy"]));
            let made = made.await;
            let token = text_of(&made);
            let whole = [Power::Whole, Power::Whole, Power::Whole];
            assert_eq!(powers(server, token).await, whole, "{self:?} {round}");
            match self {
                Self::Revoke => test.revoke(caller, &made).await,
                Self::Remove | Self::RemoveFromOne => test.unseat(&api.acme, caller).await,
                Self::Demote => test.add_member(&api.acme, caller, Role::Member).await,
                Self::Deactivate => {
                    let Caller::User(caller) = caller else {
                        unreachable!()
                    };
                    test.deactivate(&caller.user.email).await;
                }
            }
            assert_eq!(
                powers(server, token).await,
                self.leaves(),
                "{self:?} {round}"
            );
            if let Self::Deactivate = self {
                test.database.execute(&active);
            }
        }
        ROUNDS
    }
}

/// The figure of issue 3: a token is revoked, or its owner removed, demoted or deactivated, a
/// thousand times, and the very next introspection, verification and API request reflect it, on
/// the server that made the change and on another one.
#[actix_web::test]
async fn none_of_a_thousand_changes_is_stale() {
    const HOME: &str = "[organizations]\nhome = \"acme\"\n";
    let api = Api::with(HOME).await;
    let other = api.test.second_server(&format!("{HOME}{API}")).await;
    let mut people = Vec::new();
    for change in CHANGES {
        let email = format!("{change:?}@example.com");
        let caller = api.test.caller(&email).await;
        if let Change::RemoveFromOne = change {
            api.test
                .add_member(&api.elsewhere, &caller, Role::Member)
                .await;
        }
        people.push((change, caller));
    }
    let lanes = people
        .iter()
        .map(|(change, caller)| change.rounds(&api, &other, caller));
    let rounds: usize = join_all(lanes).await.into_iter().sum();
    assert_eq!(rounds, 1_000);
}
