//! Format, expiry and state of tokens.

use super::*;
use chrono::TimeZone;

#[test]
fn a_token_has_the_form_and_any_change_breaks_it() {
    let token = write("dc", &[0xab; 20]);
    let text = token.expose();
    assert_eq!(text.len(), 2 + 1 + 48);
    assert!(is_well_formed("dc", text));
    assert!(!is_well_formed("cwt", text));
    assert_eq!(hint("dc", &token), format!("dc_…{}", &text[47..]));
    for i in 0..text.len() {
        let mut broken = text.as_bytes().to_vec();
        broken[i] = if broken[i] == b'0' { b'1' } else { b'0' };
        assert!(
            !is_well_formed("dc", std::str::from_utf8(&broken).unwrap()),
            "{i}"
        );
    }
    for other in [
        "",
        "dc",
        "dc_",
        &text.to_uppercase(),
        &format!("{text}0"),
        &text[..50],
    ] {
        assert!(!is_well_formed("dc", other), "{other}");
    }
}

#[test]
fn expiry_choices() {
    let now = chrono::Utc
        .with_ymd_and_hms(2026, 11, 22, 12, 0, 0)
        .unwrap();
    let day = |y, m, d| chrono::Utc.with_ymd_and_hms(y, m, d, 0, 0, 0).unwrap();
    let read = |choice, custom| expiry(choice, custom, now, None);
    assert_eq!(read("never", None).unwrap(), None);
    assert_eq!(
        read("30d", None).unwrap(),
        Some(now + chrono::Duration::days(30))
    );
    assert_eq!(
        read("1y", None).unwrap(),
        Some(now + chrono::Duration::days(365))
    );
    assert_eq!(
        read("custom", Some("2026-11-22")).unwrap(),
        Some(day(2026, 11, 23))
    );
    for (choice, custom, field) in [
        ("custom", Some("2026-11-21"), "expires_on"),
        ("custom", Some("x"), "expires_on"),
        ("custom", None, "expires_on"),
        ("custom", Some("99999-01-01"), "expires_on"),
        ("custom", Some("9999-12-31"), "expires_on"),
        ("2d", None, "expires"),
        ("", None, "expires"),
    ] {
        assert_eq!(
            read(choice, custom).unwrap_err().field,
            field,
            "{choice} {custom:?}"
        );
    }
    let capped = |choice| expiry(choice, None, now, Some(now + chrono::Duration::days(90)));
    assert!(capped("90d").is_ok());
    assert!(capped("1y").is_err());
    assert!(capped("never").is_err());
}

proptest::proptest! {
    #[test]
    fn reading_never_panics(text: String, date: String) {
        let now = chrono::Utc.timestamp_opt(0, 0).unwrap();
        let _ = is_well_formed("dc", &text);
        let _ = expiry("custom", Some(&date), now, None);
    }
}
