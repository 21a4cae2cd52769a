//! The list of tokens.

use super::TokensRequest;
use super::row::row;
use crate::web::failure::Failure;
use crate::web::pages::page_request::Answer;
use crate::web::pages::view::Choice;
use crate::web::pages::view::token::TokenRight;
use crate::web::pages::view::token_list::{FirstCommands, TokenListing, TokensNotice, TokensPage};
use actix_web::http::StatusCode;
use app::token::{self, FoundTokens, SEARCHED, SHOWN, TokenPart, TokenSearch, TokenSort};
use url::form_urlencoded;
use wire::form::Form;

/// The longest text that is searched for.
const LONGEST_TEXT: usize = 100;

/// The orders, with their values in the URL; the first is the default.
const SORTS: [(&str, &str, TokenSort); 4] = [
    ("used", "Sort: last used", TokenSort::LastUsed),
    ("expires", "Sort: expires first", TokenSort::Expiry),
    ("name", "Sort: name", TokenSort::Name),
    ("newest", "Sort: newest", TokenSort::Newest),
];

/// `GET /tokens`, or the organization's. Members see an explanation instead of the latter.
pub async fn show(req: TokensRequest) -> Answer {
    let query = req.query()?;
    let wanted = read(&query);
    let listing = match req.right {
        TokenRight::View => TokenListing::default(),
        _ => {
            let found = token::search(&req, &req.owner_ref, wanted.clone()).await?;
            listing(&req, &wanted, found)
        }
    };
    let page = TokensPage {
        chrome: req.chrome(),
        notice: notice(&req, &query).await?,
        listing,
        owner: req.owner.clone(),
        right: req.right,
        can_create_own: req.can_create_own,
        commands: first_commands(&req),
    };
    req.page(StatusCode::OK, &page)
}

fn first_commands(req: &TokensRequest) -> FirstCommands {
    let config = req.app.config();
    let (server, program) = (&config.server.public_url, &config.branding.program);
    let me = server.join("/v1/me");
    FirstCommands {
        sign_in: format!("{program} login --host {server}"),
        whoami: format!("{program} whoami"),
        request: format!("curl -H \"Authorization: Bearer $TOKEN\" {me}"),
    }
}

/// What the query asks for. Unknown values mean the default.
fn read(query: &Form) -> TokenSearch {
    let text = query.value("q").unwrap_or_default().trim();
    let sort = query.value("sort").unwrap_or_default();
    let page = query.value("page").and_then(|page| page.parse().ok());
    TokenSearch {
        part: match query.value("show") {
            Some("attention") => TokenPart::Attention,
            Some("ended") => TokenPart::Ended,
            _ => TokenPart::Active,
        },
        text: text.chars().take(LONGEST_TEXT).collect(),
        sort: SORTS
            .iter()
            .find(|(value, _, _)| *value == sort)
            .map(|(_, _, sort)| *sort)
            .unwrap_or_default(),
        page: page.map_or(0, |page: usize| page.saturating_sub(1)),
    }
}

fn part_word(part: TokenPart) -> Option<&'static str> {
    match part {
        TokenPart::Active => None,
        TokenPart::Attention => Some("attention"),
        TokenPart::Ended => Some("ended"),
    }
}

/// The URL of a page of the list, counted from 0.
fn url_of(path: &str, wanted: &TokenSearch, page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(part) = part_word(wanted.part) {
        query.append_pair("show", part);
    }
    if !wanted.text.is_empty() {
        query.append_pair("q", &wanted.text);
    }
    if let Some((value, _, _)) = SORTS[1..].iter().find(|(_, _, sort)| *sort == wanted.sort) {
        query.append_pair("sort", value);
    }
    if page > 0 {
        query.append_pair("page", &(page + 1).to_string());
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

fn listing(req: &TokensRequest, wanted: &TokenSearch, found: FoundTokens) -> TokenListing {
    let (page, matches) = (found.page, found.matches);
    let goes_on = (page + 1) * SHOWN < matches;
    let sort = |(value, label, sort): &(&str, &str, TokenSort)| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
        selected: *sort == wanted.sort,
    };
    TokenListing {
        part: part_word(wanted.part).unwrap_or("active"),
        text: wanted.text.clone(),
        sorts: SORTS.iter().map(sort).collect(),
        active: found.active,
        attention: found.attention,
        ended: found.ended,
        first: page * SHOWN + 1,
        matches,
        is_cut: matches >= usize::from(SEARCHED),
        newer: (page > 0).then(|| url_of(&req.path, wanted, page - 1)),
        older: goes_on.then(|| url_of(&req.path, wanted, page + 1)),
        tokens: found.tokens.into_iter().map(|one| row(req, one)).collect(),
    }
}

/// The notice for the action in the query.
async fn notice(req: &TokensRequest, query: &Form) -> Result<Option<TokensNotice>, Failure> {
    let count = |name| {
        let count = query.value(name).and_then(|count| count.parse().ok());
        count.unwrap_or_default()
    };
    let invitations = count("invitations");
    if let Some(id) = query.value("revoked") {
        let revoked = match token::find(req, &req.owner_ref, id).await {
            Ok(found) => found.token,
            Err(app::Error::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        return Ok(revoked.revocation.is_some().then(|| TokensNotice::Revoked {
            name: revoked.name,
            tokens: count("tokens"),
            invitations,
        }));
    }
    let tokens = query
        .value("revoked-all")
        .and_then(|count| count.parse().ok());
    Ok(tokens.map(|tokens| TokensNotice::RevokedAll {
        tokens,
        invitations,
    }))
}
