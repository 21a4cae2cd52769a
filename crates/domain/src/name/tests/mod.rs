//! Names that are accepted unchanged, and those that are refused.

use super::*;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

/// Texts of scripts that need marks or joiners, and of emoji.
const ACCEPTED: [&str; 39] = [
    "Ada Lovelace",
    "=HYPERLINK(\"x\") <b> ' & {{7*7}}",
    "Zoë 张伟 🦀",
    "a\u{a0}b\u{3000}c",
    // Persian: U+200C keeps two joining letters apart.
    "علی\u{200c}رضا",
    "می\u{200c}خواهم",
    // A vowel sign, which is transparent, between the letter and U+200C.
    "می\u{650}\u{200c}خواهم",
    // Hindi with U+200C and with U+200D after a virama.
    "क्\u{200c}ष",
    "क्\u{200d}ष",
    "क्षत्रिय ज़ीं",
    // Sinhala: Sri Lanka.
    "ශ්\u{200d}රී ලංකාව",
    // Bengali: U+200D before the virama.
    "র\u{200d}\u{9cd}যাব",
    // Malayalam: a virama and U+200D at the end.
    "അവന്\u{200d}",
    // Hebrew with points and an accent: four marks.
    "שׁ\u{5bc}\u{5b8}\u{591}לום",
    "שָׁלוֹם עֲלֵיכֶם",
    // Vietnamese, decomposed.
    "Nguye\u{302}\u{303}n Thi\u{323} Viê\u{323}t",
    "ที่นี่ น้ำ ผู้ใหญ่",
    "རྒྱུད་བསྒྲུབས",
    "လျှော့ ကျွန်ုပ် ကြွေး",
    "ញ្ញុំ ស្ត្រី",
    "한글 \u{1112}\u{1161}\u{11ab}",
    // An ideographic variation sequence, as in Japanese family names.
    "葛\u{e0100}城",
    // Arabic with a sign that encloses the digits after it.
    "\u{600}12",
    // Emoji: sequences with U+200D, modifiers, selectors, keycaps and flags.
    "build 👩\u{200d}💻",
    "👩🏽\u{200d}🚒",
    "🏳\u{fe0f}\u{200d}🌈",
    "❤\u{fe0f}\u{200d}🔥",
    "👩\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨",
    "🤷🏻\u{200d}♀\u{fe0f}",
    "☎\u{fe0e} ☎\u{fe0f}",
    "1\u{fe0f}\u{20e3} #\u{fe0f}\u{20e3}",
    "🇩🇪🇫🇷",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} x",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "🏴\u{200d}☠\u{fe0f}",
    // Five letters joined to one, and two spaces as in a pasted text.
    "क्क्क्क्क्क कार्त्स्न्य",
    "Ada  Lovelace",
    ".",
    "Ａｃｍｅ ㈱",
];

fn rules() -> NameRules {
    NameRules::new("dc")
}

#[test]
fn names_of_all_scripts_are_accepted_unchanged() {
    for name in ACCEPTED {
        assert_eq!(rules().read(name).as_deref(), Ok(name), "{name:?}");
        assert_eq!(
            rules().read(&format!("\t {name}\u{3000}\n")).as_deref(),
            Ok(name)
        );
    }
    let longest = "é".repeat(LENGTH);
    assert_eq!(rules().read(&longest).as_deref(), Ok(&*longest));
}

#[test]
fn texts_that_cannot_be_seen_or_disguise_others_are_refused() {
    for (text, flaw) in [
        ("", Flaw::Empty),
        (" \u{a0}\u{3000}\t\n", Flaw::Empty),
        (&"é".repeat(LENGTH + 1), Flaw::TooLong(LENGTH)),
        ("a\0b", Flaw::Control('\0')),
        ("a\tb", Flaw::Control('\t')),
        ("a\r\nb", Flaw::Control('\r')),
        ("a\u{1b}[31mb", Flaw::Control('\u{1b}')),
        ("a\u{9b}b", Flaw::Control('\u{9b}')),
        ("a\u{2028}b", Flaw::Control('\u{2028}')),
        ("a\u{2029}b", Flaw::Control('\u{2029}')),
        ("e\u{301}\u{202e}😀", Flaw::Direction('\u{202e}')),
        ("e\u{323}\u{301}\u{302}\u{303}\u{304}x", Flaw::Marks),
        ("x\u{489}\u{489}\u{489}\u{489}\u{489}", Flaw::Marks),
        // A spacing mark does not begin a new stack.
        (
            "क\u{93f}\u{302}\u{302}\u{93f}\u{302}\u{302}\u{302}",
            Flaw::Marks,
        ),
        (&format!("a{}", "\u{335}".repeat(90)), Flaw::Marks),
        ("\u{301}abc", Flaw::LeadingMark('\u{301}')),
        ("\u{93e}", Flaw::LeadingMark('\u{93e}')),
        ("\u{20e3}", Flaw::LeadingMark('\u{20e3}')),
        (&format!("क{}", "्क".repeat(7)), Flaw::Joined),
        (&format!("ක{}", "\u{dca}\u{200d}ක".repeat(7)), Flaw::Joined),
        (&format!("က{}", "\u{1039}က".repeat(40)), Flaw::Joined),
        ("a   b", Flaw::Spaces),
        ("a\u{a0} b", Flaw::Spaces),
        ("a \u{a0}b", Flaw::Spaces),
        ("a\u{3000}\u{3000}b", Flaw::Spaces),
        ("a\u{2003}\u{2003}b", Flaw::Spaces),
        ("a\u{e000}", Flaw::PrivateUse('\u{e000}')),
        ("\u{f8ff}", Flaw::PrivateUse('\u{f8ff}')),
        ("\u{10fffd}x", Flaw::PrivateUse('\u{10fffd}')),
    ] {
        assert_eq!(rules().read(text), Err(flaw), "{text:?}");
    }
    for c in
        "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{2066}\u{2067}\u{2068}\u{2069}"
            .chars()
    {
        assert_eq!(
            rules().read(&format!("a{c}b")),
            Err(Flaw::Direction(c)),
            "{c:?}"
        );
    }
    for code in [0x378, 0x2065, 0xfdd0, 0xffff, 0x1_fffe, 0xe_0fff, 0x10_ffff] {
        let c = char::from_u32(code).unwrap();
        assert_eq!(
            rules().read(&format!("a{c}b")),
            Err(Flaw::Undefined(c)),
            "{c:?}"
        );
    }
}

/// Alone, repeated, and within a text.
#[test]
fn invisible_characters_are_refused_wherever_they_are() {
    let tags = '\u{e0000}'..='\u{e007f}';
    let selectors = ('\u{fe00}'..='\u{fe0f}').chain('\u{e0100}'..='\u{e01ef}');
    let others = "\u{3164}\u{2800}\u{115f}\u{1160}\u{ffa0}\u{ad}\u{34f}\u{180e}\u{180b}\u{fff9}\u{fffa}\
                  \u{fffb}\u{fffc}\u{200b}\u{2060}\u{2061}\u{2064}\u{206a}\u{206f}\u{feff}\u{17b4}\
                  \u{13430}\u{13441}\u{1bca0}\u{1d159}\u{1d173}";
    for c in tags.chain(selectors).chain(others.chars()) {
        for text in [
            c.to_string(),
            c.to_string().repeat(30),
            format!("a{c}b"),
            format!("a{c}"),
        ] {
            let flaw = rules().read(&text).unwrap_err();
            assert!(
                matches!(flaw, Flaw::Invisible(_) | Flaw::Undefined(_)),
                "{text:?}: {flaw:?}"
            );
        }
    }
}

#[test]
fn joiners_selectors_and_tags_need_the_right_neighbours() {
    for text in [
        "\u{200c}",
        "\u{200d}",
        "a\u{200c}b",
        "a\u{200d}b",
        "ab\u{200c}",
        "علی\u{200c}",
        "\u{200c}رضا",
        "علی \u{200c}رضا",
        // U+200C after a letter that does not join the next one.
        "کار\u{200c}خانه",
        "علی\u{200d}رضا",
        "علی\u{200c}\u{200c}رضا",
        "क\u{200d}ष",
        "क्\u{200d}\u{200d}ष",
        "क\u{93e}\u{200d}\u{94d}ष",
        "👩\u{200d}",
        "\u{200d}💻",
        "👩\u{200d}\u{200d}💻",
        "👩 \u{200d}💻",
        "👩\u{200d}x",
        "x\u{200d}💻",
        "1\u{200d}💻",
    ] {
        let flaw = rules().read(text).unwrap_err();
        assert!(
            matches!(flaw, Flaw::Joiner(ZWNJ | ZWJ)),
            "{text:?}: {flaw:?}"
        );
    }
    for text in [
        "a\u{fe0f}",
        "1\u{fe0f}",
        "#\u{fe0e}x",
        "☎\u{fe0f}\u{fe0f}",
        "☎ \u{fe0f}",
        "☎\u{fe00}",
        "葛\u{fe00}",
        "葛\u{e0100}\u{e0100}",
        "か\u{e0100}",
        // A flag of an unknown region, one that is cut, and one with another tag after it.
        "\u{1f3f4}\u{e0064}\u{e0065}\u{e0062}\u{e0079}\u{e007f}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}",
        "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}\u{e0067}",
        "x\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    ] {
        let flaw = rules().read(text).unwrap_err();
        assert!(matches!(flaw, Flaw::Invisible(_)), "{text:?}: {flaw:?}");
    }
}

#[test]
fn a_token_is_refused_and_not_repeated() {
    let token = token::write("dc", &[0xab; 20]);
    let token = token.expose();
    for text in [
        token.to_owned(),
        format!("  {token}\n"),
        format!("Authorization: Bearer {token}"),
        format!("token={token}, for the build"),
        format!("({token})"),
        format!("{token}{}", "x".repeat(200)),
        format!("\u{202e}{token}"),
    ] {
        let fault = rules().check("name", &text).unwrap_err();
        assert!(
            fault.has_secret && fault.message.contains("Revoke that token"),
            "{fault:?}"
        );
        assert!(!format!("{fault:?}").contains(&token[3..]));
    }
    for text in [&token[..50], &token[3..], &token.replace("ab", "cd"), "dc_"] {
        assert_eq!(rules().read(text).as_deref(), Ok(text));
    }
    assert_eq!(NameRules::new("acme").read(token).as_deref(), Ok(token));
    assert!(!rules().check("name", "").unwrap_err().has_secret);
}

#[test]
fn messages_name_the_character_to_leave_out() {
    for (text, message) in [
        ("", "Enter a name."),
        ("a\u{7}b", "Leave out the control character U+0007."),
        (
            "a\u{202e}b",
            "Leave out U+202E, which changes the direction of text.",
        ),
        ("\u{3164}", "Leave out the invisible character U+3164."),
        (
            "a\u{200d}b",
            "Leave out the invisible joiner U+200D, which has no effect there.",
        ),
        (
            "a\u{1fffe}b",
            "Leave out U+1FFFE, which is not a character.",
        ),
        (
            "a\u{e000}b",
            "Leave out U+E000, which looks different on every computer.",
        ),
        ("a   b", "Use one space between words."),
        (
            &format!("क{}", "्क".repeat(7)),
            "Join at most 6 letters to one.",
        ),
    ] {
        let fault = rules().check("name", text).unwrap_err();
        assert_eq!(
            (fault.field, &*fault.message),
            ("name", message),
            "{text:?}"
        );
    }
}

#[test]
fn a_long_text_is_cut_between_characters_that_belong_together() {
    let fill = |count| "x".repeat(count);
    for (text, expected) in [
        ("  a name ".to_owned(), "a name".to_owned()),
        (fill(200), fill(100)),
        (
            format!("{}👩\u{200d}💻", fill(98)),
            format!("{}👩", fill(98)),
        ),
        (
            format!("{}علی\u{200c}رضا", fill(96)),
            format!("{}علی", fill(96)),
        ),
        (format!("{} علی", fill(99)), fill(99)),
        ("\u{3164}".to_owned(), String::new()),
        (String::new(), String::new()),
    ] {
        assert_eq!(shorten(&text), expected, "{text:?}");
    }
}

proptest! {
    #[test]
    fn a_name_has_a_visible_character_and_is_read_alike_again(text in any::<String>()) {
        if let Ok(name) = rules().read(&text) {
            prop_assert_eq!(&name, text.trim());
            prop_assert_eq!(rules().read(&name), Ok(name.clone()));
            let is_visible = |c: char| {
                !c.is_whitespace() && !c.is_control() && !has::<DefaultIgnorableCodePoint>(c)
            };
            prop_assert!(name.chars().next().is_some_and(is_visible), "{name:?}");
        }
    }

    #[test]
    fn any_part_of_a_name_that_is_cut_is_a_name(index in 0..ACCEPTED.len(), count in 0usize..150) {
        let text = format!("{}{}", "x".repeat(count), ACCEPTED[index]);
        let name = shorten(&text);
        prop_assert!(text.starts_with(&name));
        prop_assert_eq!(rules().read(&name), Ok(name.clone()));
    }

    /// Which normalization form a keyboard produces makes no difference.
    #[test]
    fn both_normalization_forms_are_accepted(index in 0..ACCEPTED.len()) {
        let name = ACCEPTED[index];
        for form in [name.nfc().collect::<String>(), name.nfd().collect()] {
            prop_assert_eq!(rules().read(&form), Ok(form.clone()));
        }
    }
}
