//! Which of its owner's tokens a token can manage.

use super::{Client, EVERYTHING, expect, refused};
use crate::support::TestApp;
use crate::support::tenant::{input, text_of};
use doorcode::app::token::{CreateToken, NewToken};
use serde_json::json;

/// The ids of the caller's own tokens, fetched one by one.
async fn listed(client: &Client<'_>, path: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = expect(client.get(&format!("{path}?limit=1{cursor}")).await, 200);
        let items = page["items"].as_array().unwrap();
        ids.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
        assert_eq!(items.len(), 1, "a page before the last is full: {page}");
    }
    ids.sort();
    ids
}

fn ids_of(tokens: &[&NewToken]) -> Vec<String> {
    let mut ids: Vec<_> = tokens.iter().map(|new| new.token.id.to_string()).collect();
    ids.sort();
    ids
}

/// A token neither sees nor revokes tokens of its owner that reach beyond its own limits.
#[actix_web::test]
async fn limited_token_manages_only_tokens_within_its_limits() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let (one, two) = (
        test.organization(&ada, "One").await,
        test.organization(&ada, "Two").await,
    );
    let (red, blue) = (
        test.project(&one, "red").await,
        test.project(&one, "blue").await,
    );
    let limited = async |organization: Option<&str>, projects: &[&str]| {
        let input = CreateToken {
            organization: organization.map(str::to_owned),
            projects: projects.iter().map(ToString::to_string).collect(),
            ..input(&EVERYTHING)
        };
        test.token_of(&ada, input).await
    };
    let free = limited(None, &[]).await;
    let of_one = limited(Some(&one.slug), &[]).await;
    let of_two = limited(Some(&two.slug), &[]).await;
    let of_red = limited(None, &[red.id.as_str()]).await;
    let of_blue = limited(None, &[blue.id.as_str()]).await;
    let of_both = limited(None, &[red.id.as_str(), blue.id.as_str()]).await;
    let all = [&free, &of_one, &of_two, &of_red, &of_blue, &of_both];
    for (caller, within) in [
        (&free, all.to_vec()),
        (&of_one, vec![&of_one, &of_red, &of_blue, &of_both]),
        (&of_two, vec![&of_two]),
        (&of_both, vec![&of_red, &of_blue, &of_both]),
        (&of_red, vec![&of_red]),
    ] {
        let client = Client::new(&test, text_of(caller));
        assert_eq!(listed(&client, "/v1/tokens").await, ids_of(&within));
        for other in all {
            let at = format!("/v1/tokens/{}", other.token.id);
            if within.iter().any(|token| token.token.id == other.token.id) {
                expect(client.get(&at).await, 200);
                continue;
            }
            refused(client.get(&at).await, 404, "not_found");
            refused(client.delete(&at).await, 404, "not_found");
            let rotation = client.post(&format!("{at}/rotate"), json!({})).await;
            refused(rotation, 404, "not_found");
        }
    }
    let client = Client::new(&test, text_of(&of_both));
    let answer = client.post("/v1/tokens/revoke-all", json!({})).await;
    assert_eq!(expect(answer, 200)["revoked"], 3);
    for token in all {
        let is_spared = [&free, &of_one, &of_two]
            .iter()
            .any(|spared| spared.token.id == token.token.id);
        assert_eq!(
            Client::new(&test, text_of(token)).is_active().await,
            is_spared
        );
    }
}

/// Organization tokens count as limited to the organization, with or without an explicit limit.
#[actix_web::test]
async fn organization_token_manages_the_tokens_of_the_organization() {
    let test = TestApp::start().await;
    let ada = test.caller("ada@x.example").await;
    let org = test.organization(&ada, "Own").await;
    let red = test.project(&org, "red").await;
    let wide = test.organization_token(&org, input(&EVERYTHING)).await;
    let named = CreateToken {
        organization: Some(org.slug.clone()),
        ..input(&EVERYTHING)
    };
    let named = test.organization_token(&org, named).await;
    let of_red = CreateToken {
        projects: vec![red.id.to_string()],
        ..input(&EVERYTHING)
    };
    let of_red = test.organization_token(&org, of_red).await;
    let all = ids_of(&[&wide, &named, &of_red]);
    for token in [&wide, &named] {
        let client = Client::new(&test, text_of(token));
        assert_eq!(listed(&client, "/v1/tokens").await, all);
    }
    let client = Client::new(&test, text_of(&of_red));
    assert_eq!(listed(&client, "/v1/tokens").await, ids_of(&[&of_red]));

    let limited = CreateToken {
        organization: Some(org.slug.clone()),
        ..input(&EVERYTHING)
    };
    let caller = Client::with(&test, &ada, limited).await;
    let tokens = format!("/v1/orgs/{}/tokens", org.slug);
    assert_eq!(listed(&caller, &tokens).await, all);
    let path = format!("{tokens}/{}/rotate", wide.token.id);
    expect(caller.post(&path, json!({})).await, 201);
}
