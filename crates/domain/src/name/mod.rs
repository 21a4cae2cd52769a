//! Display names: of users, organizations, projects, tokens, clients and devices.
//!
//! A name is shown as it was typed, without the white space around it. It must neither be invisible
//! nor change the text around it, so each of its characters must be visible, white space, a
//! mark on a visible character, or an invisible one that the character before it needs:
//!
//! - U+200C and U+200D where a script needs them (RFC 5892 appendices A.1 and A.2), U+200D also
//!   before a virama (Unicode Standard section 12.2, Bengali ya-phalaa) and between emoji (UTS #51
//!   section 2.3);
//! - U+FE0E and U+FE0F after an emoji, and U+E0100 to U+E01EF after an ideograph (UTS #37);
//! - the tags of the three flags of UTS #51 that consist of them.

use super::{Fault, token};
use icu_properties::props::{
    BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier,
    EnumeratedProperty, ExtendedPictographic, GeneralCategory, JoiningType,
    PrependedConcatenationMark, UnifiedIdeograph,
};
use icu_properties::{CodePointMapData, CodePointSetData, props::BinaryProperty};

/// The maximum length of a name in characters.
pub const LENGTH: usize = 100;

/// The maximum number of nonspacing marks on one character. Hebrew with points and accents needs
/// four, Vietnamese two; more of them grow into the lines above and below.
const MARKS: usize = 4;

/// The maximum number of letters that viramas join to one character. Sanskrit needs four; fonts of
/// other scripts place each of them below the last.
const JOINED: usize = 6;

/// The maximum length of a run of spaces. Longer ones move the rest of the name out of view.
const SPACES: usize = 2;

/// Digits of a token after its prefix.
const TOKEN_DIGITS: usize = 48;

/// Zero width non-joiner.
const ZWNJ: char = '\u{200c}';

/// Zero width joiner.
const ZWJ: char = '\u{200d}';

/// Variation selector 16: the emoji presentation of a character.
const EMOJI_SELECTOR: char = '\u{fe0f}';

/// Combining enclosing keycap.
const KEYCAP: char = '\u{20e3}';

/// The base of flags that are written with tags.
const BLACK_FLAG: char = '\u{1f3f4}';

/// The flags of England, Scotland and Wales, the only ones that UTS #51 recommends.
const FLAGS: [&str; 3] = [
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}",
];

/// Letters and symbols with an empty glyph: the blank Braille pattern, the two blanks of Egyptian
/// hieroglyphs, the musical null notehead, and the placeholder for objects.
const BLANK: [char; 5] = [
    '\u{2800}',
    '\u{13441}',
    '\u{13442}',
    '\u{1d159}',
    '\u{fffc}',
];

/// Why a text is not a name. `Display` says what to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It is empty, or white space alone.
    Empty,
    /// It has more characters than this.
    TooLong(usize),
    /// It contains a token of this server.
    Token,
    /// A control character or a line break.
    Control(char),
    /// A character that changes the direction of the text around it.
    Direction(char),
    /// An invisible character, where nothing needs it.
    Invisible(char),
    /// A joiner that does not affect the characters around it.
    Joiner(char),
    /// A code point without a character in Unicode.
    Undefined(char),
    /// A mark without a character before it.
    LeadingMark(char),
    /// Too many marks on one character.
    Marks,
    /// Too many letters joined to one character.
    Joined,
    /// Too many spaces together, or other spaces than U+0020 beside one.
    Spaces,
    /// A code point without a meaning outside its font.
    PrivateUse(char),
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = |c: &char| format!("U+{:04X}", u32::from(*c));
        match self {
            Self::Empty => f.write_str("Enter a name."),
            Self::TooLong(limit) => write!(f, "Use at most {limit} characters."),
            Self::Token => f.write_str(
                "This contains a token. Revoke that token, because others may have seen it, and enter another name.",
            ),
            Self::Control(c) => write!(f, "Leave out the control character {}.", code(c)),
            Self::Direction(c) => write!(
                f,
                "Leave out {}, which changes the direction of text.",
                code(c)
            ),
            Self::Invisible(c) => write!(f, "Leave out the invisible character {}.", code(c)),
            Self::Joiner(c) => write!(
                f,
                "Leave out the invisible joiner {}, which has no effect there.",
                code(c)
            ),
            Self::Undefined(c) => write!(f, "Leave out {}, which is not a character.", code(c)),
            Self::LeadingMark(c) => write!(
                f,
                "Enter a letter, digit or symbol before the accent or mark {}.",
                code(c)
            ),
            Self::Marks => write!(f, "Use at most {MARKS} accents or marks on a letter."),
            Self::Joined => write!(f, "Join at most {JOINED} letters to one."),
            Self::Spaces => f.write_str("Use one space between words."),
            Self::PrivateUse(c) => write!(
                f,
                "Leave out {}, which looks different on every computer.",
                code(c)
            ),
        }
    }
}

/// The rules for names on this server, which know the form of its tokens.
#[derive(Debug, Clone)]
pub struct NameRules {
    token_prefix: String,
}

impl NameRules {
    /// The rules of a server with this prefix of tokens.
    pub fn new(token_prefix: &str) -> Self {
        Self {
            token_prefix: token_prefix.to_owned(),
        }
    }

    /// Checks the name that a user typed into `field`, and trims it.
    pub fn check(&self, field: &'static str, text: &str) -> Result<String, Fault> {
        self.read(text).map_err(|flaw| Fault {
            has_secret: flaw == Flaw::Token,
            ..Fault::new(field, flaw.to_string())
        })
    }

    /// Checks a name and trims it.
    pub fn read(&self, text: &str) -> Result<String, Flaw> {
        if has_token(&self.token_prefix, text) {
            return Err(Flaw::Token);
        }
        line(text, LENGTH)
    }
}

/// Checks a text of one line from the configuration, and trims it. Names that users type
/// are checked by [`NameRules`].
pub fn line(text: &str, limit: usize) -> Result<String, Flaw> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Flaw::Empty);
    }
    if text.chars().count() > limit {
        return Err(Flaw::TooLong(limit));
    }
    check_characters(text)?;
    Ok(text.to_owned())
}

/// The longest name that a text begins with; empty if there is none.
pub fn shorten(text: &str) -> String {
    let mut name: String = text.chars().take(LENGTH).collect();
    while line(&name, LENGTH).is_err() && name.pop().is_some() {}
    name.trim().to_owned()
}

/// Whether a text contains a token, whatever surrounds it.
fn has_token(prefix: &str, text: &str) -> bool {
    let start = format!("{prefix}_");
    text.match_indices(&start).any(|(at, _)| {
        let found = text.get(at..at + start.len() + TOKEN_DIGITS);
        found.is_some_and(|found| token::is_well_formed(prefix, found))
    })
}

/// Checks that each character can be seen, or is one that its neighbours need.
pub(super) fn check_characters(text: &str) -> Result<(), Flaw> {
    let (mut marks, mut joined) = (0, 0);
    for (at, c) in text.char_indices() {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        match c {
            ZWNJ if has_virama_last(before) || is_between_joining(before, after) => continue,
            ZWJ if has_virama_last(before)
                || is_before_virama(before, after)
                || is_between_emoji(before, after) =>
            {
                continue;
            }
            ZWNJ | ZWJ => return Err(Flaw::Joiner(c)),
            '\u{fe0e}' | EMOJI_SELECTOR if may_be_emoji(before, after) => continue,
            '\u{e0100}'..='\u{e01ef}' if ends_with::<UnifiedIdeograph>(before) => continue,
            '\u{e0020}'..='\u{e007f}' if is_in_flag(text, at) => continue,
            _ => {}
        }
        let category = value::<GeneralCategory>(c);
        let is_hidden_format =
            category == GeneralCategory::Format && !has::<PrependedConcatenationMark>(c);
        match category {
            _ if has::<BidiControl>(c) => return Err(Flaw::Direction(c)),
            GeneralCategory::Control
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => return Err(Flaw::Control(c)),
            GeneralCategory::Unassigned => return Err(Flaw::Undefined(c)),
            GeneralCategory::PrivateUse => return Err(Flaw::PrivateUse(c)),
            GeneralCategory::SpaceSeparator if has_too_many_spaces(before, c) => {
                return Err(Flaw::Spaces);
            }
            _ if has::<DefaultIgnorableCodePoint>(c) || is_hidden_format || BLANK.contains(&c) => {
                return Err(Flaw::Invisible(c));
            }
            GeneralCategory::NonspacingMark
            | GeneralCategory::EnclosingMark
            | GeneralCategory::SpacingMark
                if before.is_empty() =>
            {
                return Err(Flaw::LeadingMark(c));
            }
            GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark => {
                marks += 1;
                if marks > MARKS {
                    return Err(Flaw::Marks);
                }
            }
            // It has a width of its own, so it neither stacks nor ends a stack.
            GeneralCategory::SpacingMark => {}
            _ => {
                marks = 0;
                joined = match has_virama_last(before.trim_end_matches(ZWJ)) {
                    true => joined + 1,
                    false => 0,
                };
                if joined > JOINED {
                    return Err(Flaw::Joined);
                }
            }
        }
    }
    Ok(())
}

fn has<P: BinaryProperty>(c: char) -> bool {
    CodePointSetData::new::<P>().contains(c)
}

fn value<P: EnumeratedProperty>(c: char) -> P {
    CodePointMapData::<P>::new().get(c)
}

fn ends_with<P: BinaryProperty>(before: &str) -> bool {
    before.chars().next_back().is_some_and(has::<P>)
}

fn is_virama(c: char) -> bool {
    value::<CanonicalCombiningClass>(c) == CanonicalCombiningClass::Virama
}

/// The first rule of RFC 5892 appendix A.1, and the only one of A.2.
fn has_virama_last(before: &str) -> bool {
    before.chars().next_back().is_some_and(is_virama)
}

/// Whether a space after this text makes too long a run. Two of U+0020 are common in texts that
/// were pasted; of other spaces no two follow each other.
fn has_too_many_spaces(before: &str, space: char) -> bool {
    let is_space = |c: &char| value::<GeneralCategory>(*c) == GeneralCategory::SpaceSeparator;
    let run = before.chars().rev().take_while(is_space);
    let (mut count, mut is_plain) = (1, space == ' ');
    for c in run {
        count += 1;
        is_plain &= c == ' ';
    }
    count > SPACES || (count > 1 && !is_plain)
}

/// The second rule of RFC 5892 appendix A.1: between two letters that would be joined.
fn is_between_joining(before: &str, after: &str) -> bool {
    let joining = |c: &char| value::<JoiningType>(*c);
    let is_opaque = |c: &char| joining(c) != JoiningType::Transparent;
    let last = before.chars().rev().find(is_opaque);
    let next = after.chars().find(is_opaque);
    let is_one_of =
        |c: Option<char>, types: [JoiningType; 2]| c.is_some_and(|c| types.contains(&joining(&c)));
    is_one_of(last, [JoiningType::LeftJoining, JoiningType::DualJoining])
        && is_one_of(next, [JoiningType::RightJoining, JoiningType::DualJoining])
}

/// Whether U+200D separates a letter from a virama.
fn is_before_virama(before: &str, after: &str) -> bool {
    let is_letter = |c| value::<GeneralCategory>(c) == GeneralCategory::OtherLetter;
    before.chars().next_back().is_some_and(is_letter) && after.chars().next().is_some_and(is_virama)
}

/// Whether U+200D joins two elements of an emoji sequence.
fn is_between_emoji(before: &str, after: &str) -> bool {
    let before = before.strip_suffix(EMOJI_SELECTOR).unwrap_or(before);
    let before = before.strip_suffix(has::<EmojiModifier>).unwrap_or(before);
    ends_with::<ExtendedPictographic>(before)
        && after
            .chars()
            .next()
            .is_some_and(has::<ExtendedPictographic>)
}

/// Whether a variation selector chooses the presentation of an emoji. Digits, `#` and `*` are
/// emoji only as keycaps.
fn may_be_emoji(before: &str, after: &str) -> bool {
    ends_with::<Emoji>(before)
        && (!before.ends_with(|c: char| c.is_ascii()) || after.starts_with(KEYCAP))
}

/// Whether the tag at this position belongs to one of [`FLAGS`].
fn is_in_flag(text: &str, at: usize) -> bool {
    text[..at].rfind(BLACK_FLAG).is_some_and(|start| {
        let mut flags = FLAGS.iter();
        flags.any(|flag| text[start..].starts_with(flag) && at < start + flag.len())
    })
}

#[cfg(test)]
mod tests;
