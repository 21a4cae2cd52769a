//! The scope matrix for users.

use crate::support::{PASSWORD, TestApp};
use doorcode::domain::role::Role;

const SETTINGS: &str = "[[scopes]]\nname = \"app:read\"\ndescription = \"View apps\"\n\
    [[scopes]]\nname = \"app:deploy\"\ndescription = \"Deploy builds\"\n\
    group = \"Apps\"\nrisk = \"high\"\nmin_role = \"admin\"\n\
    [[scopes]]\nname = \"app:delete\"\ndescription = \"Delete apps\"\nmin_role = \"owner\"\n\
    [[routes]]\nmatch = \"POST /v1/deploys\"\nscope = \"app:deploy\"\n\
    [[routes]]\nmatch = \"* /v1/status\"\noperator = true\n";

/// The cells of the row of a scope, without tags.
fn row(page: &str, scope: &str) -> String {
    let start = format!("<code class=\"name\">{scope}</code>");
    let (_, row) = page.split_once(&start).unwrap_or_else(|| panic!("{page}"));
    let row = row.split("</tr>").next().unwrap();
    let pieces = row
        .split('<')
        .map(|piece| piece.split('>').next_back().unwrap());
    let words: Vec<_> = pieces.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

/// A member looks up what the form of a token offers, follows its link, and sees which routes ask
/// for a scope, and where the own role suffices.
#[actix_web::test]
async fn member_sees_what_each_scope_takes_and_where_the_role_suffices() {
    let test = TestApp::with(SETTINGS).await;
    let mut ada = test.user().await;
    for path in ["/tokens/new", "/o/acme"] {
        assert!(ada.get(path).await.contains("href=\"/scopes\""), "{path}");
    }
    let page = ada.get("/scopes").await;
    assert_eq!(page.status, 200);
    assert_eq!(row(&page.body, "app:read"), "app View apps Read Any role");
    assert_eq!(
        row(&page.body, "app:deploy"),
        "Apps Deploy builds POST /v1/deploys High risk Admin or higher Your role suffices in Acme"
    );
    assert!(page.contains("the answer is 401") && page.contains("it is 403"));
    assert!(page.contains("<code>* /v1/status</code>") && page.contains("Operator token"));

    test.add_user("bob@example.com", PASSWORD, Some(("Acme", Role::Member)))
        .await;
    let mut bob = test.browser();
    bob.sign_in("bob@example.com", PASSWORD).await;
    let page = bob.get("/scopes").await;
    assert!(
        row(&page.body, "app:deploy")
            .ends_with("Admin or higher Your role suffices in no organization")
    );
    assert!(row(&page.body, "app:delete").ends_with("Owner Your role suffices in no organization"));
}

#[actix_web::test]
async fn visitor_signs_in_first() {
    let test = TestApp::with(SETTINGS).await;
    let page = test.browser().get("/scopes").await;
    assert!(page.location().starts_with("/login"), "{}", page.status);
}
