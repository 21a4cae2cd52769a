//! Every combination of plan, policy, owner and lifetime.

use super::*;

const CREATED_AT: Instant = Instant::UNIX_EPOCH;

fn life(days: Option<i64>) -> Life {
    Life {
        created_at: CREATED_AT,
        expires_at: days.map(|days| CREATED_AT + Duration::days(days)),
    }
}

fn owner_kinds() -> impl Iterator<Item = OwnerKind> {
    let members = Role::ALL
        .into_iter()
        .flat_map(|role| [true, false].map(|is_creator| OwnerKind::Member { role, is_creator }));
    members.chain([OwnerKind::Organization])
}

#[test]
fn lifetime_of_every_owner() {
    let plan_rule = PlanRule {
        plan: Plan::Team,
        gated: GatedTokens::All,
    };
    for longest in [Longest::Unlimited, Longest::Ending, Longest::Days(30)] {
        for days in [None, Some(30), Some(31)] {
            let policy = Policy {
                longest,
                ..Policy::default()
            };
            let is_too_long = match (longest, days) {
                (Longest::Unlimited, _) => false,
                (Longest::Ending, days) => days.is_none(),
                (Longest::Days(_), days) => days != Some(30),
            };
            for owner_kind in owner_kinds() {
                let allowed = policy.check(plan_rule, owner_kind, life(days)).is_ok();
                assert_eq!(allowed, !is_too_long, "{longest:?} {owner_kind:?} {days:?}");
            }
        }
    }
}

#[test]
fn plan_owner_and_creator() {
    let mut seen = 0;
    for plan in Plan::ALL {
        for gated in [GatedTokens::Organization, GatedTokens::All] {
            for personal_tokens in PersonalTokens::ALL {
                for created_by in PersonalTokens::ALL {
                    for owner_kind in owner_kinds() {
                        let policy = Policy {
                            personal_tokens,
                            created_by,
                            longest: Longest::Unlimited,
                        };
                        let is_free = plan == Plan::Free;
                        let expected = match owner_kind {
                            OwnerKind::Organization if is_free => Err(Violation::Plan),
                            OwnerKind::Member { .. } if is_free && gated == GatedTokens::All => {
                                Err(Violation::Plan)
                            }
                            OwnerKind::Member {
                                role: Role::Member, ..
                            } if personal_tokens == PersonalTokens::Admins => Err(Violation::Role),
                            OwnerKind::Member {
                                role: Role::Member,
                                is_creator: true,
                            } if created_by == PersonalTokens::Admins => Err(Violation::Creator),
                            _ => Ok(()),
                        };
                        let plan_rule = PlanRule { plan, gated };
                        let found = policy.check(plan_rule, owner_kind, life(None));
                        assert_eq!(found, expected, "{plan_rule:?} {policy:?} {owner_kind:?}");
                        seen += 1;
                    }
                }
            }
        }
    }
    assert_eq!(seen, 2 * 2 * 2 * 2 * 7);
}

#[test]
fn words_read_back() {
    for plan in Plan::ALL {
        assert_eq!(Plan::parse(plan.as_str()), Some(plan));
    }
    for choice in PersonalTokens::ALL {
        assert_eq!(PersonalTokens::parse(choice.as_str()), Some(choice));
    }
    assert_eq!(Plan::parse("Team"), None);
    assert_eq!(PersonalTokens::parse(""), None);
}
