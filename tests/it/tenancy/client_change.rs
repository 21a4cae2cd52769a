//! Changes of one client at the same time, on two servers.

use crate::support::TestApp;
use crate::support::tenant::OPERATOR;
use doorcode::app::client::{self, Kind, ScopeChoice, UpdateClient};
use doorcode::domain::client::Standing;
use futures_util::future::join_all;

/// Number of runs of the race; a single run may succeed by chance.
const ROUNDS: usize = 10;

/// Each change is about another attribute, and none undoes that of another.
#[actix_web::test]
async fn parallel_changes_of_a_client_are_all_kept() {
    let test = TestApp::start().await;
    let second = test.second_server("").await;
    let scopes = ["orgs:read", "projects:read"];
    test.add_client("deployer", Kind::Public, &scopes).await;
    for round in 0..ROUNDS {
        let is_even = round % 2 == 0;
        let name = format!("Deployer {round}");
        let standing = match is_even {
            true => Standing::Disabled,
            false => Standing::Active,
        };
        let requestable = scopes[..1 + usize::from(is_even)].to_vec();
        let owned = requestable.iter().map(ToString::to_string).collect();
        let changes = [
            UpdateClient {
                name: Some(name.clone()),
                ..UpdateClient::default()
            },
            UpdateClient {
                standing: Some(standing),
                ..UpdateClient::default()
            },
            UpdateClient {
                scopes: Some(ScopeChoice::These(owned)),
                ..UpdateClient::default()
            },
        ];
        let requests = [&test, &second].map(|server| server.req(&OPERATOR));
        let changes = changes.into_iter().enumerate();
        let changed =
            changes.map(|(i, change)| client::update(&requests[i % 2], "deployer", change));
        for changed in join_all(changed).await {
            changed.unwrap();
        }
        let client = client::show(&requests[0], "deployer").await.unwrap();
        assert_eq!((client.name, client.standing), (name, standing), "{round}");
        assert_eq!(client.scopes.to_string(), requestable.join(" "), "{round}");
    }
    assert_eq!(
        test.events("client.changed"),
        3 * i64::try_from(ROUNDS).unwrap() - 1
    );
}
