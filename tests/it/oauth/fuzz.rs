//! Random input; the seed is fixed, so that a failure can be reproduced.

use super::{FORM, borrowed, endpoints, send};
use crate::support::TestApp;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// Damages a body in a few places.
fn mutate(random: &mut StdRng, body: &str) -> Vec<u8> {
    const PIECES: [&[u8]; 12] = [
        b"&", b"=", b"%", b"+", b"%00", b"%FF", b"\0", b"\"", b"{", b"[", b"\\u", b"\xc3",
    ];
    let mut body = body.as_bytes().to_vec();
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..=body.len());
        match random.random_range(0..4) {
            0 => body.truncate(at),
            1 => {
                let piece = PIECES[random.random_range(0..PIECES.len())];
                body.splice(at..at, piece.iter().copied());
            }
            2 => {
                let copy = body[at..].to_vec();
                body.extend(copy);
            }
            _ if at < body.len() => body[at] = random.random_range(0..=255),
            _ => {}
        }
    }
    body
}

/// T-15: any body gets a regular response.
#[actix_web::test]
async fn damaged_bodies_get_a_regular_response() {
    let test = TestApp::start().await;
    let mut random = StdRng::seed_from_u64(7);
    for (path, fields) in endpoints(&test).await {
        let form = serde_json::to_value(
            borrowed(&fields)
                .into_iter()
                .collect::<std::collections::BTreeMap<_, _>>(),
        )
        .unwrap()
        .to_string();
        let pairs: Vec<_> = fields.iter().map(|(n, v)| format!("{n}={v}")).collect();
        for (kind, body) in [(FORM, pairs.join("&")), ("application/json", form)] {
            for _ in 0..60 {
                let body = mutate(&mut random, &body);
                let answer = send(&test, path, kind, body.clone()).await;
                let is_decided = answer.status == 200 || (400..500).contains(&answer.status);
                assert!(
                    is_decided,
                    "{path} {:?}: {answer:?}",
                    body.escape_ascii().to_string()
                );
                assert_eq!(
                    answer.status >= 400,
                    !answer.error().is_empty(),
                    "{answer:?}"
                );
            }
        }
    }
}

/// T-15: cookies and headers of any bytes that HTTP allows.
#[actix_web::test]
async fn random_headers_get_a_regular_response() {
    let test = TestApp::start().await;
    let mut random = StdRng::seed_from_u64(8);
    for round in 0..300 {
        let mut value = vec![0; random.random_range(0..200)];
        random.fill_bytes(&mut value);
        value.retain(|byte| *byte >= b' ' && *byte != 0x7f);
        let (name, path, start) = [
            ("cookie", "/tokens", b"doorcode_session=".as_slice()),
            ("authorization", "/v1/me", b"Bearer ".as_slice()),
            ("authorization", "/v1/scopes", b""),
            ("x-forwarded-for", "/login", b"127.0.0.1, "),
        ][round % 4];
        let value = [start, &value].concat();
        let request = test
            .anon()
            .get(test.at(path))
            .header(name, value.as_slice());
        let status = request.send().await.unwrap().status().as_u16();
        assert!(
            status < 500,
            "{path} {:?}",
            value.escape_ascii().to_string()
        );
    }
}
