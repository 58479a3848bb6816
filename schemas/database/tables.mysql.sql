-- The tables of the user database for MariaDB 10.11 and MySQL 8.0.17, or newer. README.md says what each column means and
-- who writes it. Every statement may be run again: each seed begins with this file.
--
-- Names are compared octet by octet, and a space at the end counts. MariaDB and MySQL call this by different names: each reads
-- its own of the two comments, and the other one's as a comment.

CREATE TABLE IF NOT EXISTS meta (
    name  VARCHAR(32)  NOT NULL PRIMARY KEY,
    value BIGINT       NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;
INSERT IGNORE INTO meta (name, value) VALUES ('schema', 2), ('generation', 0);

CREATE TABLE IF NOT EXISTS domains (
    domain                 VARCHAR(253) NOT NULL PRIMARY KEY,
    postmaster             VARCHAR(64)  NOT NULL,
    managed                VARCHAR(16)  NOT NULL DEFAULT 'declared' CHECK (managed IN ('declared', 'delegated')),
    catch_all              VARCHAR(320) NOT NULL DEFAULT 'bounce-no-mailbox',
    max_users              BIGINT       CHECK (max_users >= 0),
    max_aliases            BIGINT       CHECK (max_aliases >= 0),
    max_forwards           BIGINT       CHECK (max_forwards >= 0),
    max_autoresponders     BIGINT       CHECK (max_autoresponders >= 0),
    max_lists              BIGINT       CHECK (max_lists >= 0),
    quota                  BIGINT       CHECK (quota >= 0),
    default_quota          BIGINT       CHECK (default_quota >= 0),
    default_quota_messages BIGINT       CHECK (default_quota_messages >= 0),
    deny_pop3              TINYINT      NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1)),
    deny_imap              TINYINT      NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1)),
    deny_webmail           TINYINT      NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1)),
    deny_submission        TINYINT      NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1)),
    deny_password_change   TINYINT      NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1))
) ENGINE = InnoDB CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS alias_domains (
    alias  VARCHAR(253) NOT NULL PRIMARY KEY,
    domain VARCHAR(253) NOT NULL
) ENGINE = InnoDB CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS accounts (
    id                   CHAR(16)     NOT NULL PRIMARY KEY,
    domain               VARCHAR(253) NOT NULL,
    local                VARCHAR(64)  NOT NULL,
    home                 VARCHAR(253) NOT NULL,
    name                 TEXT         NOT NULL DEFAULT (''),
    quota                BIGINT       CHECK (quota >= 0),
    quota_messages       BIGINT       CHECK (quota_messages >= 0),
    password             TEXT,
    password_owner       VARCHAR(16)  NOT NULL DEFAULT 'declared' CHECK (password_owner IN ('declared', 'own')),
    password_reset       BIGINT       NOT NULL DEFAULT 0,
    deny_pop3            TINYINT      NOT NULL DEFAULT 0 CHECK (deny_pop3 IN (0, 1)),
    deny_imap            TINYINT      NOT NULL DEFAULT 0 CHECK (deny_imap IN (0, 1)),
    deny_webmail         TINYINT      NOT NULL DEFAULT 0 CHECK (deny_webmail IN (0, 1)),
    deny_submission      TINYINT      NOT NULL DEFAULT 0 CHECK (deny_submission IN (0, 1)),
    deny_password_change TINYINT      NOT NULL DEFAULT 0 CHECK (deny_password_change IN (0, 1)),
    admin                TINYINT      NOT NULL DEFAULT 0 CHECK (admin IN (0, 1)),
    disabled             TINYINT      NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    owner                VARCHAR(16)  NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    enabled              TINYINT      NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    created              BIGINT       NOT NULL,
    removed              BIGINT,
    -- One account at a time has an address: rows with NULL here are no duplicates of one another.
    active               TINYINT      AS (IF(removed IS NULL, 1, NULL)) VIRTUAL,
    CHECK (removed IS NULL OR enabled = 0),
    UNIQUE INDEX accounts_address (domain, local, active)
) ENGINE = InnoDB CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS aliases (
    domain   VARCHAR(253) NOT NULL,
    local    VARCHAR(255) NOT NULL,
    position INT          NOT NULL,
    line     TEXT         NOT NULL,
    owner    VARCHAR(16)  NOT NULL DEFAULT 'declared' CHECK (owner IN ('declared', 'runtime')),
    PRIMARY KEY (domain, local, position)
) ENGINE = InnoDB CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;

CREATE TABLE IF NOT EXISTS logins (
    account CHAR(16)     NOT NULL PRIMARY KEY,
    at      BIGINT       NOT NULL,
    peer    VARCHAR(64)  NOT NULL,
    service VARCHAR(16)  NOT NULL,
    FOREIGN KEY (account) REFERENCES accounts (id)
) ENGINE = InnoDB CHARACTER SET utf8mb4 /*M! COLLATE utf8mb4_nopad_bin */ /*!80017 COLLATE utf8mb4_0900_bin */;
