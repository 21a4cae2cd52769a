//! The search form of an audit log.

use crate::web::failure::Failure;
use crate::web::pages::org_request::OrgPageRequest;
use crate::web::pages::page_request::PageRequest;
use crate::web::pages::view::audit::AuditForm;
use crate::web::pages::view::{Choice, FieldErrors};
use app::audit::read::{Names, Search};
use app::org;
use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use config::Words;
use domain::Instant;
use domain::page::Page;
use url::form_urlencoded::Serializer;
use wire::form::Form;

/// The fields of the form.
const FIELDS: [&str; 5] = ["actor", "action", "token", "from", "to"];

/// Maximum number of members to choose from. Others are reached by the link on their name.
const MEMBERS: u16 = 100;

/// The choice that stands for any actor.
const ANY_ACTOR: (&str, &str) = ("", "All actors");

/// Kinds of actions in an organization, as prefixes of their names; first the choice of all.
const ACTIONS: [(&str, &str); 8] = [
    ("", "All actions"),
    ("token", "Tokens"),
    ("member", "Members"),
    ("invitation", "Invitations"),
    ("project", "Projects"),
    ("organization", "Organization and policy"),
    ("audit", "Audit log"),
    ("access", "Access refused"),
];

/// The same for a user.
const OWN_ACTIONS: [(&str, &str); 11] = [
    ("", "All actions"),
    ("session", "Sign-ins"),
    ("user", "Account"),
    ("token", "Tokens"),
    ("device", "Devices"),
    ("member", "Memberships"),
    ("invitation", "Invitations"),
    ("project", "Projects"),
    ("organization", "Organizations and policies"),
    ("audit", "Audit log"),
    ("access", "Access refused"),
];

/// The submitted form.
pub struct AuditFilter<'a> {
    fields: [&'a str; 5],
    before: Option<u64>,
}

impl<'a> AuditFilter<'a> {
    /// Reads the form from a query.
    pub fn read(query: &'a Form) -> Self {
        Self {
            fields: FIELDS.map(|field| query.value(field).unwrap_or_default().trim()),
            before: query
                .value("before")
                .and_then(|sequence| sequence.parse().ok()),
        }
    }

    /// The sequence number before which the page begins.
    pub fn before(&self) -> Option<u64> {
        self.before
    }

    /// The search, in an organization or in the user's own log; or an error for each invalid
    /// date.
    pub fn search(&self, organization: Option<&str>) -> Result<Search, FieldErrors> {
        let [actor, action, token, from, to] = self.fields;
        let mut errors = FieldErrors::none();
        let mut day = |field, text: &str| match text {
            "" => None,
            text => {
                let read = read_day(text);
                if read.is_none() {
                    errors.push(field, "Enter a date as year-month-day, such as 2026-11-22.");
                }
                read
            }
        };
        let (from, to) = (day("from", from), day("to", to));
        if !errors.is_empty() {
            return Err(errors);
        }
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(Search {
            organization: organization.map(str::to_owned),
            actor: given(actor),
            action: given(action),
            token_id: given(token),
            since: from.map(start_of),
            // The last day is included.
            until: to
                .and_then(|day| day.checked_add_days(Days::new(1)))
                .map(start_of),
        })
    }

    /// The query of the same search, beginning before a sequence number.
    pub fn query_before(&self, sequence: Option<u64>) -> String {
        let mut query = Serializer::new(String::new());
        for (field, value) in FIELDS.into_iter().zip(self.fields) {
            if !value.is_empty() {
                query.append_pair(field, value);
            }
        }
        if let Some(sequence) = sequence {
            query.append_pair("before", &sequence.to_string());
        }
        query.finish()
    }

    /// The form of an organization's log, filled in.
    pub async fn form_within(
        &self,
        req: &OrgPageRequest,
        names: &Names,
    ) -> Result<AuditForm, Failure> {
        let roster = org::roster(req, req.id(), &Page::first(MEMBERS)).await?;
        let members = roster
            .members
            .iter()
            .map(|member| (member.user.id.as_str(), member.user.name.as_str()));
        let kinds = [("token", "Any token"), ("operator", "The operator")];
        let actors = [ANY_ACTOR]
            .into_iter()
            .chain(members)
            .chain(kinds)
            .collect();
        let [actor, action, ..] = self.fields;
        Ok(self.form(
            req.path("/audit"),
            choices(actors, actor, names),
            actions(&ACTIONS, &req.app.config().branding.words, action, names),
        ))
    }

    /// The form of a user's own log, filled in.
    pub fn form_of_user(&self, req: &PageRequest, path: &str, names: &Names) -> AuditForm {
        let you = req.caller.user_id().map(|id| (id.as_str(), "You"));
        let kinds = [
            ("token", "Any token"),
            ("client", "Any application"),
            ("operator", "The operator"),
            ("anonymous", "Not signed in"),
        ];
        let actors = [ANY_ACTOR].into_iter().chain(you).chain(kinds).collect();
        let [actor, action, ..] = self.fields;
        self.form(
            path.to_owned(),
            choices(actors, actor, names),
            actions(
                &OWN_ACTIONS,
                &req.app.config().branding.words,
                action,
                names,
            ),
        )
    }

    fn form(&self, path: String, actors: Vec<Choice>, actions: Vec<Choice>) -> AuditForm {
        let [_, _, token, from, to] = self.fields;
        AuditForm {
            path,
            actors,
            actions,
            token: token.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            query: self.query_before(None),
        }
    }
}

/// Choices of kinds of actions, in the words of the brand.
fn actions(usual: &[(&str, &str)], words: &Words, filter: &str, names: &Names) -> Vec<Choice> {
    let usual: Vec<_> = usual
        .iter()
        .map(|(value, label)| (*value, words.apply(label)))
        .collect();
    let usual = usual.iter().map(|(value, label)| (*value, &**label));
    choices(usual.collect(), filter, names)
}

/// Choices: the usual values, and the current value if it is none of these.
fn choices<'a>(
    mut usual: Vec<(&'a str, &'a str)>,
    filter: &'a str,
    names: &'a Names,
) -> Vec<Choice> {
    if usual.iter().all(|(value, _)| *value != filter) {
        usual.push((filter, names.of(filter).unwrap_or(filter)));
    }
    Choice::of(&usual, filter)
}

/// A day in the years that databases support.
fn read_day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (1970..=9998).contains(&day.year()).then_some(day)
}

fn start_of(day: NaiveDate) -> Instant {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(query: &str) -> Form {
        Form::parse(query.as_bytes()).unwrap()
    }

    #[test]
    fn last_day_is_included() {
        let form = form("from=2026-11-01&to=2026-11-22&actor=&token=+tok_1+");
        let search = AuditFilter::read(&form).search(None).unwrap();
        assert_eq!(
            search.since.unwrap().to_rfc3339(),
            "2026-11-01T00:00:00+00:00"
        );
        assert_eq!(
            search.until.unwrap().to_rfc3339(),
            "2026-11-23T00:00:00+00:00"
        );
        assert_eq!(search.actor, None);
        assert_eq!(search.token_id.as_deref(), Some("tok_1"));
    }

    #[test]
    fn invalid_date_is_reported_on_its_field() {
        for bad in [
            "x",
            "2026-02-30",
            "0000-01-01",
            "9999-12-31",
            "2026-11-22T00:00",
        ] {
            let query = format!("from={bad}&to=2026-11-22");
            let errors = AuditFilter::read(&form(&query)).search(None).unwrap_err();
            assert!(
                errors.of("from").is_some() && errors.of("to").is_none(),
                "{bad}"
            );
        }
    }

    #[test]
    fn next_page_keeps_the_search() {
        let form = form("actor=a%26b&before=9&to=2026-11-22");
        let filter = AuditFilter::read(&form);
        assert_eq!(
            filter.query_before(Some(7)),
            "actor=a%26b&to=2026-11-22&before=7"
        );
        assert_eq!(filter.query_before(None), "actor=a%26b&to=2026-11-22");
    }
}
