//! The policy of an organization, in every state.

use super::super::FieldErrors;
use super::super::org::Access;
use super::super::policy::*;
use super::{HOSTILE, LONG, Sample, acme, ada, days, hostile_org, sample};

fn terms() -> Terms {
    Terms {
        personal_tokens: personal_tokens("admins"),
        created_by: personal_tokens("members"),
        max_lifetime: lifetimes("90d"),
        never: false,
    }
}

fn policy(access: Access, notice: Option<PolicyNotice>) -> PolicyPage {
    PolicyPage {
        chrome: ada(),
        org: acme(),
        plan: "team",
        terms: terms(),
        access,
        notice,
        errors: FieldErrors::none(),
    }
}

fn review() -> PolicyReviewPage {
    let token = |name: &str, owner: Option<&str>, reason| AffectedToken {
        name: name.into(),
        hint: "dc_…4f2a".into(),
        owner: owner.map(str::to_owned),
        last_used: Some(days(-3)),
        reason,
        effect: PolicyEffect::Ends,
    };
    let (member, long, never) = (
        PolicyReason::OwnerIsMember,
        PolicyReason::LivesTooLong,
        PolicyReason::NeverExpires,
    );
    PolicyReviewPage {
        chrome: ada(),
        org: acme(),
        terms: terms(),
        tokens: vec![
            token("Build server", None, long),
            AffectedToken {
                last_used: None,
                effect: PolicyEffect::LosesOrganization,
                ..token(HOSTILE, Some("Bob Byron"), member)
            },
            token(LONG, Some(HOSTILE), never),
            token("Laptop", Some("Bob Byron"), PolicyReason::Blocked),
        ],
        more: 0,
        grace: graces("7d"),
        errors: FieldErrors::none(),
    }
}

/// The policy, and the review of a tighter one.
pub fn samples() -> Vec<Sample> {
    let open = PolicyPage {
        org: hostile_org(),
        plan: "free",
        terms: Terms {
            personal_tokens: personal_tokens("members"),
            created_by: personal_tokens("members"),
            max_lifetime: lifetimes("none"),
            never: true,
        },
        ..policy(Access::View, None)
    };
    let mut errors = FieldErrors::on(
        "personal_tokens",
        "Choose whose personal tokens have access.",
    );
    errors.push("max_lifetime", "Choose a lifetime from the list.");
    errors.push("never", "Choose no limit, or clear this box.");
    let again = PolicyPage {
        terms: Terms {
            personal_tokens: personal_tokens(""),
            created_by: personal_tokens("members"),
            max_lifetime: lifetimes(""),
            never: true,
        },
        errors,
        ..policy(Access::Own, None)
    };
    let mut one = review();
    one.tokens.truncate(1);
    one.tokens[0].reason = PolicyReason::Plan;
    let review_with_errors = PolicyReviewPage {
        org: hostile_org(),
        more: 1,
        errors: FieldErrors::on("grace", "Choose a grace."),
        ..review()
    };
    let saved = |notice| policy(Access::Own, Some(notice));
    vec![
        sample("policy", "owner", &policy(Access::Own, None)),
        sample("policy", "member", &policy(Access::View, None)),
        sample("policy", "member-open", &open),
        sample("policy", "saved", &saved(PolicyNotice::Saved)),
        sample(
            "policy",
            "ending-one",
            &saved(PolicyNotice::SavedWithGrace(1)),
        ),
        sample("policy", "ending", &saved(PolicyNotice::SavedWithGrace(3))),
        sample("policy", "errors", &again),
        sample("policy-review", "several", &review()),
        sample("policy-review", "one", &one),
        sample("policy-review", "errors", &review_with_errors),
    ]
}
