//! The tables, column by column as in `migrations/`.

mod sign_in;

pub use sign_in::{authenticator, identity, passkey, recovery_code, used_assertion};

diesel::table! {
    users (id) {
        id -> Text,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        state -> Text,
        created_at -> Timestamp,
        needs_organization -> Bool,
        email_verified_at -> Nullable<Timestamp>,
        password_expired_at -> Nullable<Timestamp>,
        is_operator -> Bool,
    }
}

diesel::table! {
    account_link (link_digest) {
        link_digest -> Text,
        user_id -> Text,
        purpose -> Text,
        email -> Text,
        created_by -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    setup_link (link_digest) {
        link_digest -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    organization (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        created_at -> Timestamp,
        plan -> Text,
        personal_tokens -> Text,
        personal_tokens_created_by -> Text,
        longest -> Text,
        longest_days -> Nullable<Integer>,
        deleted_at -> Nullable<Timestamp>,
        made_by -> Text,
    }
}

diesel::table! {
    membership (organization_id, user_id) {
        organization_id -> Text,
        user_id -> Text,
        role -> Text,
        created_at -> Timestamp,
        given_by -> Nullable<Text>,
    }
}

diesel::table! {
    session (id) {
        id -> Text,
        cookie_digest -> Text,
        user_id -> Text,
        created_at -> Timestamp,
        last_seen_at -> Timestamp,
        address -> Text,
        user_agent -> Text,
        issuer -> Nullable<Text>,
        subject -> Nullable<Text>,
        provider_session -> Nullable<Text>,
        authenticated_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    client (id) {
        id -> Text,
        name -> Text,
        secret_digest -> Nullable<Text>,
        scopes -> Text,
        default_scopes -> Text,
        state -> Text,
        created_at -> Timestamp,
        previous_secret_digest -> Nullable<Text>,
        previous_secret_ends_at -> Nullable<Timestamp>,
        follows_settings -> Bool,
    }
}

diesel::table! {
    token (id) {
        id -> Text,
        token_digest -> Text,
        user_id -> Nullable<Text>,
        organization_id -> Nullable<Text>,
        name -> Text,
        hint -> Text,
        scopes -> Text,
        client_id -> Nullable<Text>,
        device_name -> Nullable<Text>,
        created_at -> Timestamp,
        expires_at -> Nullable<Timestamp>,
        last_used_at -> Nullable<Timestamp>,
        last_used_address -> Nullable<Text>,
        revoked_at -> Nullable<Timestamp>,
        revoked_by -> Nullable<Text>,
        revoked_reason -> Nullable<Text>,
        limit_organization_id -> Nullable<Text>,
        limit_projects -> Nullable<Text>,
        created_by -> Text,
        replaces -> Nullable<Text>,
        made_by_token -> Nullable<Text>,
        blocked_in -> Nullable<Text>,
        confirmed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    policy_grace (token_id, organization_id) {
        organization_id -> Text,
        token_id -> Text,
        ends_at -> Timestamp,
        plan -> Text,
        personal_tokens -> Text,
        personal_tokens_created_by -> Text,
        longest -> Text,
        longest_days -> Nullable<Integer>,
    }
}

diesel::table! {
    project (id) {
        id -> Text,
        organization_id -> Text,
        name -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    project_member (project_id, user_id) {
        project_id -> Text,
        user_id -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    invitation (id) {
        id -> Text,
        link_digest -> Text,
        mailed_link_digest -> Nullable<Text>,
        organization_id -> Text,
        email -> Nullable<Text>,
        role -> Text,
        invited_by -> Text,
        made_by_token -> Nullable<Text>,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    rotation_request (token_id, organization_id) {
        token_id -> Text,
        organization_id -> Text,
        requested_by -> Text,
        requested_at -> Timestamp,
    }
}

diesel::table! {
    device_grant (id) {
        id -> Text,
        device_code_digest -> Text,
        user_code_digest -> Text,
        client_id -> Text,
        scopes -> Text,
        device_name -> Nullable<Text>,
        address -> Text,
        source -> Text,
        site -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        state -> Text,
        interval_ms -> BigInt,
        decided_by -> Nullable<Text>,
        granted_scopes -> Nullable<Text>,
        decision_digest -> Nullable<Text>,
        token_id -> Nullable<Text>,
        replayed_at -> Nullable<Timestamp>,
        wrong_client_at -> Nullable<Timestamp>,
        is_recorded -> Bool,
        shown_at -> Nullable<Timestamp>,
        organization -> Nullable<Text>,
        project -> Nullable<Text>,
        denied_reason -> Nullable<Text>,
        granted_organization_id -> Nullable<Text>,
        granted_projects -> Nullable<Text>,
        granted_expires_at -> Nullable<Timestamp>,
        confirmed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    device_count (key) {
        key -> Text,
        live -> BigInt,
    }
}

diesel::table! {
    throttle (key) {
        key -> Text,
        tag -> Text,
        attempts -> Integer,
        since -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    idempotency_record (id) {
        id -> Text,
        payload_digest -> Text,
        lease -> Text,
        leased_until -> Timestamp,
        created_at -> Timestamp,
        salt -> Text,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    sealed_text (id) {
        id -> Text,
        salt -> Text,
        text -> Text,
        expires_at -> Timestamp,
        bucket -> Nullable<Integer>,
        slot -> Nullable<Integer>,
    }
}

diesel::table! {
    audit_event (id) {
        id -> Text,
        at -> Timestamp,
        action -> Text,
        actor_kind -> Text,
        actor_id -> Nullable<Text>,
        target -> Nullable<Text>,
        organization_id -> Nullable<Text>,
        request_id -> Text,
        address -> Nullable<Text>,
        detail -> Text,
        outcome -> Text,
        method -> Text,
        user_id -> Nullable<Text>,
        token_id -> Nullable<Text>,
        client_id -> Nullable<Text>,
        agent -> Nullable<Text>,
        salt -> Nullable<Text>,
    }
}

diesel::table! {
    audit_record (sequence) {
        sequence -> BigInt,
        hash -> Text,
        id -> Text,
        at -> Timestamp,
        action -> Text,
        outcome -> Text,
        actor_kind -> Text,
        actor_id -> Nullable<Text>,
        method -> Text,
        user_id -> Nullable<Text>,
        token_id -> Nullable<Text>,
        client_id -> Nullable<Text>,
        organization_id -> Nullable<Text>,
        target -> Nullable<Text>,
        request_id -> Text,
        address -> Nullable<Text>,
        agent -> Nullable<Text>,
        detail -> Text,
        salt -> Nullable<Text>,
    }
}

diesel::table! {
    audit_head (id) {
        id -> Integer,
        origin -> Text,
        sequence -> BigInt,
        hash -> Text,
        pruned_sequence -> Nullable<BigInt>,
        pruned_hash -> Nullable<Text>,
        pruned_note -> Nullable<Text>,
    }
}

diesel::table! {
    audit_checkpoint (sequence) {
        sequence -> BigInt,
        at -> Timestamp,
        note -> Text,
    }
}

diesel::table! {
    audit_shipping (sink) {
        sink -> Text,
        sequence -> BigInt,
        leased_by -> Nullable<Text>,
        leased_until -> Nullable<Timestamp>,
        hash -> Nullable<Text>,
    }
}

diesel::table! {
    token_use (event_id, position) {
        event_id -> Text,
        position -> Integer,
        token_id -> Text,
        organization_id -> Nullable<Text>,
        day -> Text,
        first_at -> Timestamp,
        last_at -> Timestamp,
        leaves -> Integer,
        count -> Integer,
        uses -> Text,
    }
}

diesel::table! {
    heartbeat (server) {
        server -> Text,
        at -> BigInt,
        public_url -> Nullable<Text>,
        operator_token -> Nullable<Text>,
    }
}

diesel::table! {
    deployment (id) {
        id -> Integer,
        secret_key -> Text,
        audit_key -> Text,
    }
}

diesel::joinable!(membership -> organization (organization_id));
diesel::joinable!(membership -> users (user_id));
diesel::joinable!(session -> users (user_id));
diesel::joinable!(project -> organization (organization_id));
diesel::joinable!(project_member -> project (project_id));
diesel::joinable!(project_member -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    users,
    organization,
    membership,
    session,
    project,
    project_member,
);
diesel::allow_tables_to_appear_in_same_query!(token, membership);
diesel::allow_tables_to_appear_in_same_query!(token, invitation);
diesel::allow_tables_to_appear_in_same_query!(token, users);
diesel::allow_tables_to_appear_in_same_query!(token, audit_record);
diesel::allow_tables_to_appear_in_same_query!(token, token_use);
diesel::allow_tables_to_appear_in_same_query!(device_grant, membership);
diesel::allow_tables_to_appear_in_same_query!(device_grant, client);
