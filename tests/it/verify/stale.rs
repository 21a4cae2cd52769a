//! A change holds for the very next request, on every server.

use super::{API, Api, ORIGINAL};
use crate::support::TestApp;
use crate::support::tenant::{input, text_of, user_of};
use doorcode::app::caller::Caller;
use doorcode::domain::org::Role;
use futures_util::future::join_all;

/// How often each of the five changes is made: a thousand in all.
const ROUNDS: usize = 200;

/// What ends or lessens a token.
#[derive(Debug, Clone, Copy)]
enum UpdateOrganization {
    Revoke,
    /// Out of the only organization, which ends the token.
    Remove,
    /// Out of one of two organizations, which ends what the role there allowed.
    RemoveFromOne,
    Demote,
    Deactivate,
}

const CHANGES: [UpdateOrganization; 5] = [
    UpdateOrganization::Revoke,
    UpdateOrganization::Remove,
    UpdateOrganization::RemoveFromOne,
    UpdateOrganization::Demote,
    UpdateOrganization::Deactivate,
];

/// What a token may do, as the three ways to ask tell it.
#[derive(Debug, PartialEq, Eq)]
enum Power {
    /// It deploys.
    Whole,
    /// It lives, and does not deploy any more.
    Less,
    /// It is dead.
    None,
}

/// Asks introspection, the proxy's address and the API at once.
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

impl UpdateOrganization {
    fn leaves(self) -> Power {
        match self {
            Self::Revoke | Self::Remove | Self::Deactivate => Power::None,
            Self::RemoveFromOne | Self::Demote => Power::Less,
        }
    }

    /// Makes the change and undoes it, many times, and asks before and after each.
    async fn rounds(self, api: &Api, other: &TestApp, caller: &Caller) -> usize {
        let test = &api.test;
        let active = format!(
            "UPDATE users SET state = 'active' WHERE id = '{}'",
            user_of(caller)
        );
        for round in 0..ROUNDS {
            let server = [test, other][round % 2];
            test.org_access(&api.acme, caller, Role::Admin).await;
            let made = test.token_of(caller, input(&["app:read", "app:deploy"]));
            let made = made.await;
            let token = text_of(&made);
            let whole = [Power::Whole, Power::Whole, Power::Whole];
            assert_eq!(powers(server, token).await, whole, "{self:?} {round}");
            match self {
                Self::Revoke => test.revoke(caller, &made).await,
                Self::Remove | Self::RemoveFromOne => test.unseat(&api.acme, caller).await,
                Self::Demote => test.org_access(&api.acme, caller, Role::Member).await,
                Self::Deactivate => {
                    let Caller::User(caller) = caller else {
                        unreachable!()
                    };
                    test.deactivate(&caller.user.email).await;
                }
            }
            let left = [self.leaves(), self.leaves(), self.leaves()];
            assert_eq!(powers(server, token).await, left, "{self:?} {round}");
            if let Self::Deactivate = self {
                test.database.execute(&active);
            }
        }
        ROUNDS
    }
}

/// The figure of issue 3: a thousand times a token is revoked, or its owner is removed,
/// demoted or deactivated, and the very next introspection, verification and call know it, on
/// the server that made the change and on another one.
#[actix_web::test]
async fn none_of_a_thousand_changes_is_stale() {
    let api = Api::start().await;
    let other = api.test.second_server(API).await;
    let mut people = Vec::new();
    for change in CHANGES {
        let email = format!("{change:?}@example.com");
        let caller = api.test.caller(&email).await;
        if let UpdateOrganization::RemoveFromOne = change {
            api.test
                .org_access(&api.elsewhere, &caller, Role::Member)
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
