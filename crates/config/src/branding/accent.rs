//! The accent color of the pages, and the colors that follow from it.

use super::StaticFile;
use std::fmt;

/// The contrast that text needs against its ground (WCAG 2.2, 1.4.3).
const TEXT: f64 = 4.5;
/// The contrast that controls need against the page (WCAG 2.2, 1.4.11).
const CONTROL: f64 = 3.0;

const WHITE: Color = Color([255; 3]);
const BLACK: Color = Color([0; 3]);
/// The lightest ground of the pages in the dark theme, as in `app.css`.
const DARK: Color = Color([0x1c, 0x20, 0x28]);
/// The darkest ground of text in the light theme, as in `app.css`.
const LIGHT: Color = Color([0xf4, 0xf5, 0xf7]);

/// A color in sRGB. `Display` writes `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Color([u8; 3]);

impl Color {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let mut channels = [0; 3];
        hex::decode_to_slice(digits, &mut channels).ok()?;
        Some(Self(channels))
    }

    /// The relative luminance, from 0 to 1 (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let share = f64::from(channel) / 255.0;
            match share <= 0.04045 {
                true => share / 12.92,
                false => ((share + 0.055) / 1.055).powf(2.4),
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio of two colors, from 1 to 21 (WCAG 2.2).
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This color with some hundredths of another one.
    fn mixed(self, other: Self, hundredths: u32) -> Self {
        let mut channels = [0; 3];
        for (mixed, (own, added)) in channels.iter_mut().zip(self.0.into_iter().zip(other.0)) {
            let sum = u32::from(own) * (100 - hundredths) + u32::from(added) * hundredths;
            *mixed = u8::try_from(sum / 100).unwrap_or(u8::MAX);
        }
        Self(channels)
    }

    /// The first color on the way to another one that has this contrast against each ground.
    fn towards(self, other: Self, grounds: &[Self], contrast: f64) -> Self {
        (0..=100)
            .map(|hundredths| self.mixed(other, hundredths))
            .find(|mixed| {
                grounds
                    .iter()
                    .all(|ground| mixed.contrast(*ground) >= contrast)
            })
            .unwrap_or(other)
    }

    /// White or black, whichever is readable on this color. One of them always is.
    fn text_on(self) -> Self {
        match self.contrast(WHITE) >= TEXT {
            true => WHITE,
            false => BLACK,
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", hex::encode(self.0))
    }
}

/// The accent color: of the main button, links and marks. `Display` writes it as in the
/// configuration.
#[derive(Debug, Clone)]
pub struct Accent {
    color: Color,
    /// The style sheet that replaces the colors of `app.css`.
    pub style: StaticFile,
}

impl Accent {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let color = Color::parse(text)
            .ok_or_else(|| format!("{text:?} is no color; write one such as #3f4bd1"))?;
        let contrast = color.contrast(WHITE);
        if contrast < CONTROL {
            return Err(format!(
                "{text} has a contrast of {contrast:.1}:1 against the white page; choose a darker \
                 color, with at least 3:1"
            ));
        }
        let (tint, dark_tint) = (WHITE.mixed(color, 8), DARK.mixed(color, 15));
        let link = color.towards(BLACK, &[LIGHT, tint], TEXT);
        let dark_link = color.towards(WHITE, &[DARK, dark_tint], TEXT);
        let style = format!(
            ":root{{{}}}@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
            variables(color, link, tint),
            variables(color.towards(WHITE, &[DARK], CONTROL), dark_link, dark_tint),
        );
        let style = StaticFile::new("text/css; charset=utf-8", "css", style.into_bytes());
        Ok(Self { color, style })
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.color.fmt(f)
    }
}

/// The variables of `app.css` for one theme.
fn variables(accent: Color, link: Color, ground: Color) -> String {
    let text = accent.text_on();
    // Away from the text, so that it stays readable.
    let over = match text == WHITE {
        true => accent.mixed(BLACK, 18),
        false => accent.mixed(WHITE, 18),
    };
    format!(
        "--accent:{accent};--accent-over:{over};--on-accent:{text};--link:{link};\
         --accent-bg:{ground}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn contrast_is_that_of_the_standard() {
        let contrast = |one, two| {
            let of = |text| Color::parse(text).unwrap();
            (of(one).contrast(of(two)) * 100.0).round()
        };
        assert_eq!(contrast("#ffffff", "#000000"), 2100.0);
        assert_eq!(contrast("#767676", "#ffffff"), 454.0);
        assert_eq!(contrast("#3f4bd1", "#ffffff"), 669.0);
    }

    #[test]
    fn colors_that_vanish_on_the_page_are_refused() {
        assert_eq!(
            Accent::parse("#ffe600").unwrap_err(),
            "#ffe600 has a contrast of 1.3:1 against the white page; choose a darker color, with \
             at least 3:1"
        );
        for bad in ["", "red", "3f4bd1", "#3f4", "#3f4bd1ff", "#3f4bdg"] {
            assert!(Accent::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Accent::parse("#3F4BD1").unwrap().to_string(), "#3f4bd1");
    }

    proptest! {
        /// Text keeps 4.5:1 and controls 3:1 in both themes, whatever the color.
        #[test]
        fn palette_is_readable(channels in any::<[u8; 3]>()) {
            let color = Color(channels);
            let Ok(accent) = Accent::parse(&color.to_string()) else {
                prop_assert!(color.contrast(WHITE) < CONTROL);
                return Ok(());
            };
            let style = std::str::from_utf8(&accent.style.content).unwrap();
            let (light, dark) = style.split_once("@media").unwrap();
            for (theme, page, control) in [(light, LIGHT, WHITE), (dark, DARK, DARK)] {
                let of = |name: &str| {
                    let (_, rest) = theme.split_once(&format!("{name}:")).unwrap();
                    Color::parse(&rest[..7]).unwrap()
                };
                let (fill, text) = (of("--accent"), of("--on-accent"));
                prop_assert!(fill.contrast(text) >= TEXT && of("--accent-over").contrast(text) >= TEXT);
                prop_assert!(fill.contrast(control) >= CONTROL);
                prop_assert!(of("--link").contrast(page) >= TEXT);
                prop_assert!(of("--link").contrast(of("--accent-bg")) >= TEXT);
            }
        }
    }
}
