//! A token with the rows that decisions about it depend on, in one statement, which is a snapshot
//! by itself.

use super::cache::Lookup;
use super::client::ACTIVE;
use super::schema::{organization, token, users};
use super::statement::{ReadRow, on_connection};
use super::token::Row as TokenRow;
use super::user::Row as UserRow;
use super::{Conn, Error, org};
use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Bool, Nullable, Text};
use domain::id::{OrganizationId, TokenId};
use domain::org::{Maker, Membership, Organization};
use domain::secret::Digest;
use domain::token::{Token, TokenOwner};
use domain::user::User;

/// A token with the rows that decisions about it depend on.
#[derive(Debug, Clone)]
pub struct TokenFacts {
    /// The token.
    pub token: Token,
    /// Whether the client that it was issued to is active; `true` for a token without a client.
    pub is_client_active: bool,
    /// Its owner; `None` for a deleted organization.
    pub owner: Option<FoundOwner>,
}

/// The owner of a token.
#[derive(Debug, Clone)]
pub enum FoundOwner {
    /// A user.
    User {
        /// The user, active or not.
        user: User,
        /// The organizations of the user, by name.
        memberships: Vec<Membership>,
        /// The organization of the user that is the only one that the operator created.
        only_of_operator: Option<OrganizationId>,
    },
    /// An organization.
    Organization(Organization),
}

/// The statement, by the digest of the token or by its id. It is text, since the query builder
/// joins no table by an expression of two columns. Its prepared statement is found by its type.
struct Found<'a, const BY_ID: bool>(&'a str);

/// The columns: the token, the state of its client, the user, the role in an organization, that
/// organization or the one that owns the token, and whether the operator created no other.
type Columns = (
    token::SqlType,
    Nullable<Text>,
    Nullable<users::SqlType>,
    Nullable<Text>,
    Nullable<organization::SqlType>,
    Bool,
);

type Row = (
    TokenRow,
    Option<String>,
    Option<UserRow>,
    Option<String>,
    Option<org::Row>,
    bool,
);

impl<DB, const BY_ID: bool> QueryFragment<DB> for Found<'_, BY_ID>
where
    DB: Backend,
    <token::table as Table>::AllColumns: QueryFragment<DB>,
    <users::table as Table>::AllColumns: QueryFragment<DB>,
    <organization::table as Table>::AllColumns: QueryFragment<DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql("SELECT ");
        token::all_columns.walk_ast(pass.reborrow())?;
        pass.push_sql(", client.state, ");
        users::all_columns.walk_ast(pass.reborrow())?;
        pass.push_sql(", membership.role, ");
        organization::all_columns.walk_ast(pass.reborrow())?;
        pass.push_sql(
            ", NOT EXISTS (SELECT 1 FROM organization AS other \
               WHERE other.made_by = 'operator' AND other.id <> organization.id) \
             FROM token \
             LEFT JOIN client ON client.id = token.client_id \
             LEFT JOIN users ON users.id = token.user_id \
             LEFT JOIN membership ON membership.user_id = token.user_id \
             LEFT JOIN organization \
               ON organization.id = coalesce(membership.organization_id, token.organization_id) \
             WHERE ",
        );
        pass.push_sql(match BY_ID {
            true => "token.id = ",
            false => "token.token_digest = ",
        });
        pass.push_bind_param::<Text, _>(self.0)?;
        pass.push_sql(" ORDER BY organization.name, organization.id");
        Ok(())
    }
}

impl<const BY_ID: bool> QueryId for Found<'_, BY_ID> {
    type QueryId = Found<'static, BY_ID>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const BY_ID: bool> Query for Found<'_, BY_ID> {
    type SqlType = Columns;
}

impl<C, const BY_ID: bool> RunQueryDsl<C> for Found<'_, BY_ID> {}

/// The token whose text has this digest, with the rows that decisions about it depend on.
pub fn find_by_digest(conn: &mut Conn, digest: &Digest) -> Result<Option<TokenFacts>, Error> {
    let found = Found::<false>(digest.as_str());
    read(on_connection!(conn, own => found.get_results::<Row>(own))?)
}

impl Lookup for TokenFacts {
    type Key = Digest;

    const MOST: usize = 4_000;

    fn find(conn: &mut Conn, digest: &Digest) -> Result<Option<Self>, Error> {
        find_by_digest(conn, digest)
    }
}

/// The same for the token with this id.
pub fn find_by_id(conn: &mut Conn, id: &TokenId) -> Result<Option<TokenFacts>, Error> {
    let found = Found::<true>(id.as_str());
    read(on_connection!(conn, own => found.get_results::<Row>(own))?)
}

/// Reads the rows: one, or one for each organization of the user.
fn read(rows: Vec<Row>) -> Result<Option<TokenFacts>, Error> {
    let mut rows = rows.into_iter();
    let Some((token, client_state, user, role, organization, is_only)) = rows.next() else {
        return Ok(None);
    };
    let token = token.read()?;
    let owner = match (&token.owner, user) {
        (TokenOwner::Organization(_), _) => organization
            .filter(|organization| !organization.is_deleted())
            .map(|organization| organization.read().map(FoundOwner::Organization))
            .transpose()?,
        (TokenOwner::User(_), None) => None,
        (TokenOwner::User(_), Some(user)) => {
            let of_rest =
                rows.map(|(_, _, _, role, organization, is_only)| (role, organization, is_only));
            let of_all = std::iter::once((role, organization, is_only)).chain(of_rest);
            Some(read_user(user, of_all)?)
        }
    };
    Ok(Some(TokenFacts {
        is_client_active: match token.client_id {
            Some(_) => client_state.as_deref() == Some(ACTIVE),
            None => true,
        },
        token,
        owner,
    }))
}

fn read_user(
    user: UserRow,
    of_all: impl Iterator<Item = (Option<String>, Option<org::Row>, bool)>,
) -> Result<FoundOwner, Error> {
    let user = user.read()?;
    let (mut memberships, mut only_of_operator) = (Vec::new(), None);
    for (role, organization, is_only) in of_all {
        // Without organizations the user has one row, in which both are missing.
        let (Some(role), Some(organization)) = (role, organization) else {
            continue;
        };
        let organization = organization.read()?;
        if is_only && organization.made_by == Maker::Operator {
            only_of_operator = Some(organization.id.clone());
        }
        memberships.push(Membership {
            role: org::read_role(&role, user.id.as_str())?,
            organization,
        });
    }
    Ok(FoundOwner::User {
        user,
        memberships,
        only_of_operator,
    })
}
