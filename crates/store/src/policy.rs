//! Plans and policies as columns, and grace periods of tokens that a policy no longer allows.

use super::schema::{membership, policy_grace, token, users};
use super::statement::{ReadRow, RowId, Statement};
use super::token::{Row as TokenRow, is_active};
use super::user::Row as UserRow;
use super::{Conn, Error, stored};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use domain::Instant;
use domain::id::{OrganizationId, TokenId};
use domain::policy::{GatedTokens, Grace, Longest, PersonalTokens, Plan, Policy};
use domain::role::Role;
use domain::token::Token;
use domain::user::User;
use std::collections::HashMap;

/// A plan and a policy, column by column.
pub(super) struct Terms {
    pub(super) plan: String,
    pub(super) personal_tokens: String,
    pub(super) personal_tokens_created_by: String,
    pub(super) longest: String,
    pub(super) longest_days: Option<i32>,
}

impl Terms {
    pub(super) fn of(plan: Plan, policy: Policy) -> Self {
        let (longest, longest_days) = match policy.longest {
            Longest::Unlimited => ("unlimited", None),
            Longest::Ending => ("ending", None),
            Longest::Days(days) => ("days", Some(i32::try_from(days).unwrap_or(i32::MAX))),
        };
        Self {
            plan: plan.as_str().to_owned(),
            personal_tokens: policy.personal_tokens.as_str().to_owned(),
            personal_tokens_created_by: policy.created_by.as_str().to_owned(),
            longest: longest.to_owned(),
            longest_days,
        }
    }

    pub(super) fn read(&self, row: RowId<'_>) -> Result<(Plan, Policy), Error> {
        let longest = match (self.longest.as_str(), self.longest_days) {
            ("unlimited", None) => Some(Longest::Unlimited),
            ("ending", None) => Some(Longest::Ending),
            ("days", Some(days)) => u32::try_from(days).ok().map(Longest::Days),
            _ => None,
        };
        let personal_tokens = PersonalTokens::parse(&self.personal_tokens);
        let created_by = PersonalTokens::parse(&self.personal_tokens_created_by);
        let policy = Policy {
            personal_tokens: row.read("personal_tokens", personal_tokens)?,
            created_by: row.read("personal_tokens_created_by", created_by)?,
            longest: row.read("longest", longest)?,
        };
        let plan = row.read("plan", Plan::parse(&self.plan))?;
        Ok((plan, policy))
    }
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = policy_grace, treat_none_as_default_value = false)]
struct Row {
    organization_id: String,
    token_id: String,
    ends_at: NaiveDateTime,
    plan: String,
    personal_tokens: String,
    personal_tokens_created_by: String,
    longest: String,
    longest_days: Option<i32>,
}

impl Row {
    fn of(organization_id: &OrganizationId, token_id: &TokenId, grace: &Grace) -> Self {
        let terms = Terms::of(grace.plan, grace.policy);
        Self {
            organization_id: organization_id.to_string(),
            token_id: token_id.to_string(),
            ends_at: stored(grace.ends_at),
            plan: terms.plan,
            personal_tokens: terms.personal_tokens,
            personal_tokens_created_by: terms.personal_tokens_created_by,
            longest: terms.longest,
            longest_days: terms.longest_days,
        }
    }
}

impl ReadRow for Row {
    type Value = ((TokenId, OrganizationId), Grace);

    fn read(self) -> Result<Self::Value, Error> {
        let row = RowId("policy_grace", &self.token_id);
        let terms = Terms {
            plan: self.plan,
            personal_tokens: self.personal_tokens,
            personal_tokens_created_by: self.personal_tokens_created_by,
            longest: self.longest,
            longest_days: self.longest_days,
        };
        let (plan, policy) = terms.read(row)?;
        let organization = OrganizationId::parse(&self.organization_id);
        let token = row.read("token_id", TokenId::parse(&self.token_id))?;
        let organization = row.read("organization_id", organization)?;
        Ok((
            (token, organization),
            Grace {
                plan,
                policy,
                ends_at: self.ends_at.and_utc(),
            },
        ))
    }
}

/// The current grace periods of tokens, by token and organization.
pub fn list_graces(
    conn: &mut Conn,
    tokens: &[&TokenId],
    now: Instant,
) -> Result<HashMap<(TokenId, OrganizationId), Grace>, Error> {
    let ids: Vec<_> = tokens.iter().map(|id| id.as_str()).collect();
    let graces = policy_grace::table
        .filter(policy_grace::token_id.eq_any(ids))
        .filter(policy_grace::ends_at.gt(stored(now)))
        .read_all::<Row>(conn)?;
    Ok(graces.into_iter().collect())
}

/// The tokens with a current grace period in an organization.
pub fn list_graced(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
) -> Result<HashMap<TokenId, Grace>, Error> {
    let graces = policy_grace::table
        .filter(policy_grace::organization_id.eq(organization_id.as_str()))
        .filter(policy_grace::ends_at.gt(stored(now)))
        .read_all::<Row>(conn)?;
    let graces = graces.into_iter();
    Ok(graces.map(|((token, _), grace)| (token, grace)).collect())
}

/// How many grace periods one statement writes.
const ROWS: usize = 500;

/// Deletes the grace periods of tokens in an organization that allows them again.
pub fn delete_graces(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    tokens: &[&TokenId],
) -> Result<(), Error> {
    for tokens in tokens.chunks(ROWS) {
        let ids: Vec<_> = tokens.iter().map(|id| id.as_str()).collect();
        let found = policy_grace::table
            .filter(policy_grace::token_id.eq_any(ids))
            .filter(policy_grace::organization_id.eq(organization_id.as_str()));
        diesel::delete(found).run(conn)?;
    }
    Ok(())
}

/// Sets the grace periods of tokens in an organization, replacing all others of these tokens there.
pub fn replace_graces(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    graces: &[(&TokenId, Grace)],
) -> Result<(), Error> {
    let tokens: Vec<_> = graces.iter().map(|(id, _)| *id).collect();
    delete_graces(conn, organization_id, &tokens)?;
    for graces in graces.chunks(ROWS) {
        let rows: Vec<_> = graces
            .iter()
            .map(|(token_id, grace)| Row::of(organization_id, token_id, grace))
            .collect();
        match conn {
            Conn::Postgres(conn) => diesel::insert_into(policy_grace::table)
                .values(rows)
                .execute(conn)?,
            Conn::Sqlite(conn) => diesel::insert_into(policy_grace::table)
                .values(rows)
                .execute(conn)?,
        };
    }
    Ok(())
}

/// Deletes grace periods that are over.
pub fn delete_over_graces(conn: &mut Conn, now: Instant) -> Result<(), Error> {
    diesel::delete(policy_grace::table.filter(policy_grace::ends_at.le(stored(now)))).run(conn)
}

/// A token with access to an organization, with its owner and the owner's role there; `None` for
/// the organization's own tokens.
pub type Reaching = (Token, Option<(User, Role)>);

/// The active personal tokens of an organization's members that are not limited to another.
macro_rules! personal_reaching {
    ($organization_id:expr, $now:expr) => {
        token::table
            .inner_join(membership::table.on(token::user_id.eq(membership::user_id.nullable())))
            .filter(membership::organization_id.eq($organization_id.as_str()))
            .filter(
                token::limit_organization_id
                    .is_null()
                    .or(token::limit_organization_id.eq($organization_id.as_str())),
            )
            .filter(is_active!($now))
    };
}

/// The number of active tokens with access to an organization that need the plan `team`.
pub fn count_gated(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    gated: GatedTokens,
    now: Instant,
) -> Result<i64, Error> {
    let own: i64 = token::table
        .filter(token::organization_id.eq(organization_id.as_str()))
        .filter(is_active!(now))
        .count()
        .row(conn)?;
    let personal: i64 = match gated {
        GatedTokens::Organization => 0,
        GatedTokens::All => personal_reaching!(organization_id, now).count().row(conn)?,
    };
    Ok(own + personal)
}

/// The active tokens with access to an organization: its own, and its members' personal ones that
/// are not limited to another.
pub fn list_reaching(
    conn: &mut Conn,
    organization_id: &OrganizationId,
    now: Instant,
) -> Result<Vec<Reaching>, Error> {
    let mut found = Vec::new();
    let own = token::table
        .filter(token::organization_id.eq(organization_id.as_str()))
        .filter(is_active!(now))
        .rows::<TokenRow>(conn)?;
    for row in own {
        found.push((row.read()?, None));
    }
    let personal = personal_reaching!(organization_id, now)
        .inner_join(users::table.on(membership::user_id.eq(users::id)))
        .select((token::all_columns, users::all_columns, membership::role))
        .rows::<(TokenRow, UserRow, String)>(conn)?;
    for (row, owner, role) in personal {
        let token = row.read()?;
        let role = RowId("membership", token.id.as_str()).read("role", Role::parse(&role))?;
        found.push((token, Some((owner.read()?, role))));
    }
    Ok(found)
}
