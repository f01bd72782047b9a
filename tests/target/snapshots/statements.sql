-- create staging
CREATE OR REPLACE TEMPORARY TABLE "D'B"."LOCK"."STG" ("SEQ" NUMBER(38,0), "STATE" VARCHAR, "KEY_HASH" VARCHAR, "ROW_HASH" VARCHAR, "EXTRACTED" VARCHAR, "LETTER" VARCHAR(134217728), "RECORD" VARCHAR(134217728), "C0" VARCHAR(134217728), "C1" VARCHAR(134217728), "C2" VARCHAR(134217728), "C3" VARCHAR(134217728), "C4" VARCHAR(134217728), "C5" VARCHAR(134217728), "C6" VARCHAR(134217728), "C7" VARCHAR(134217728), "C8" VARCHAR(134217728), "C9" VARCHAR(134217728), "C10" VARCHAR(134217728), "C11" VARCHAR(134217728), "C12" VARCHAR(134217728), "C13" VARCHAR(134217728), "C14" VARCHAR(134217728));

-- create typed
CREATE OR REPLACE TEMPORARY TABLE "D'B"."LOCK"."TYPED" ("SEQ" NUMBER(38,0), "OP" VARCHAR, "KEY_HASH" VARCHAR, "ROW_HASH" VARCHAR, "HASH_BEFORE" VARCHAR, "EXTRACTED" TIMESTAMP_NTZ(9), "BAD" VARCHAR, "C0" VARCHAR, "C1" NUMBER(38,2), "C2" TIMESTAMP_NTZ, "C3" VARCHAR(5), "C4" VARCHAR, "C5" VARCHAR, "C6" NUMBER(38,0), "C7" VARIANT, "C8" DATE, "C9" BOOLEAN, "C10" VARCHAR, "C11" FLOAT, "C12" VARCHAR, "C13" VARCHAR, "C14" VARCHAR);

-- empty
DELETE FROM "D'B"."LOCK"."STG";

-- fence
CREATE TABLE "D'B"."LOCK"."FENCE_A3204C1A044021B6" AS SELECT 0 AS "EPOCH";

-- take
UPDATE "D'B"."LOCK"."FENCE_A3204C1A044021B6" SET "EPOCH" = "EPOCH" + 1;

-- classify
INSERT OVERWRITE INTO "D'B"."LOCK"."TYPED" ("SEQ", "OP", "KEY_HASH", "ROW_HASH", "HASH_BEFORE", "EXTRACTED", "BAD", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14") SELECT v."SEQ", v."OP", v."KEY_HASH", v."ROW_HASH", v."HASH_BEFORE", v."EXTRACTED", IFF(v."OP" IN ('insert', 'update') AND (v."T0" IS NOT NULL AND v."C0" IS NULL OR v."T1" IS NOT NULL AND v."C1" IS NULL OR v."T2" IS NOT NULL AND v."C2" IS NULL OR v."T3" IS NOT NULL AND v."C3" IS NULL OR v."T4" IS NOT NULL AND v."C4" IS NULL OR v."T5" IS NOT NULL AND v."C5" IS NULL OR v."T6" IS NOT NULL AND v."C6" IS NULL OR v."T7" IS NOT NULL AND v."C7" IS NULL OR v."T8" IS NOT NULL AND v."C8" IS NULL OR v."T9" IS NOT NULL AND v."C9" IS NULL OR v."T10" IS NOT NULL AND v."C10" IS NULL OR v."T11" IS NOT NULL AND v."C11" IS NULL OR v."T12" IS NOT NULL AND v."C12" IS NULL OR v."T13" IS NOT NULL AND v."C13" IS NULL OR v."T14" IS NOT NULL AND v."C14" IS NULL), CONCAT(IFF(v."T0" IS NOT NULL AND v."C0" IS NULL, '0,', ''), IFF(v."T1" IS NOT NULL AND v."C1" IS NULL, '1,', ''), IFF(v."T2" IS NOT NULL AND v."C2" IS NULL, '2,', ''), IFF(v."T3" IS NOT NULL AND v."C3" IS NULL, '3,', ''), IFF(v."T4" IS NOT NULL AND v."C4" IS NULL, '4,', ''), IFF(v."T5" IS NOT NULL AND v."C5" IS NULL, '5,', ''), IFF(v."T6" IS NOT NULL AND v."C6" IS NULL, '6,', ''), IFF(v."T7" IS NOT NULL AND v."C7" IS NULL, '7,', ''), IFF(v."T8" IS NOT NULL AND v."C8" IS NULL, '8,', ''), IFF(v."T9" IS NOT NULL AND v."C9" IS NULL, '9,', ''), IFF(v."T10" IS NOT NULL AND v."C10" IS NULL, '10,', ''), IFF(v."T11" IS NOT NULL AND v."C11" IS NULL, '11,', ''), IFF(v."T12" IS NOT NULL AND v."C12" IS NULL, '12,', ''), IFF(v."T13" IS NOT NULL AND v."C13" IS NULL, '13,', ''), IFF(v."T14" IS NOT NULL AND v."C14" IS NULL, '14,', ''), ''), NULL), v."C0", v."C1", v."C2", v."C3", v."C4", v."C5", v."C6", v."C7", v."C8", v."C9", v."C10", v."C11", v."C12", v."C13", v."C14" FROM (SELECT q."SEQ", q."OP", q."KEY_HASH", q."ROW_HASH", q."HASH_BEFORE", TRY_TO_TIMESTAMP_NTZ(q."EXTRACTED") AS "EXTRACTED", q."C0" AS "T0", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C0") <= 16777216, q."C0", NULL), NULL) AS "C0", q."C1" AS "T1", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DECIMAL(q."C1", 38, 2), NULL) AS "C1", q."C2" AS "T2", IFF(q."OP" IN ('insert', 'update'), TRY_TO_TIMESTAMP_NTZ(q."C2"), NULL) AS "C2", q."C3" AS "T3", IFF(LENGTH(q."C3") <= 5, q."C3", NULL) AS "C3", q."C4" AS "T4", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C4") <= 16777216, q."C4", NULL), NULL) AS "C4", q."C5" AS "T5", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C5") <= 16777216, q."C5", NULL), NULL) AS "C5", q."C6" AS "T6", TRY_TO_DECIMAL(q."C6", 38, 0) AS "C6", q."C7" AS "T7", IFF(q."OP" IN ('insert', 'update'), TRY_PARSE_JSON(q."C7"), NULL) AS "C7", q."C8" AS "T8", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DATE(q."C8"), NULL) AS "C8", q."C9" AS "T9", IFF(q."OP" IN ('insert', 'update'), TRY_TO_BOOLEAN(q."C9"), NULL) AS "C9", q."C10" AS "T10", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C10") <= 16777216, q."C10", NULL), NULL) AS "C10", q."C11" AS "T11", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DOUBLE(q."C11"), NULL) AS "C11", q."C12" AS "T12", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C12") <= 16777216, q."C12", NULL), NULL) AS "C12", q."C13" AS "T13", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C13") <= 16777216, q."C13", NULL), NULL) AS "C13", q."C14" AS "T14", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C14") <= 16777216, q."C14", NULL), NULL) AS "C14" FROM (SELECT s.*, CASE WHEN s."RN" > 1 THEN 'deduplicated' WHEN s."STATE" = 'X' AND (t."doc" IS NULL OR t."_AUDIT_DELETED_AT" IS NOT NULL) THEN 'unchanged' WHEN t."doc" IS NULL THEN 'insert' WHEN s."STAMP" < t."at" AND s."UNSTAMPED" IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, 'older', 'older_deleted') WHEN s."STATE" = 'X' THEN 'delete' WHEN t."_AUDIT_DELETED_AT" IS NULL AND t."_AUDIT_ROW_HASH" = s."ROW_HASH" THEN 'unchanged' ELSE 'update' END AS "OP", t."_AUDIT_ROW_HASH" AS "HASH_BEFORE" FROM (SELECT a.*, k."STAMP", k."UNSTAMPED", k."RN" FROM "D'B"."LOCK"."STG" AS a JOIN (SELECT g."SEQ", g."STAMP", g."UNSTAMPED", ROW_NUMBER() OVER (PARTITION BY g."KEY_HASH" ORDER BY IFF(g."UNSTAMPED" IS NULL OR g."SEQ" >= g."UNSTAMPED", 1, 0) DESC, g."STAMP" DESC NULLS LAST, g."SEQ" DESC) AS "RN" FROM (SELECT i.*, MAX(IFF(i."STAMP" IS NULL, i."SEQ", NULL)) OVER (PARTITION BY i."KEY_HASH") AS "UNSTAMPED" FROM (SELECT r."SEQ", r."KEY_HASH", TRY_TO_TIMESTAMP_NTZ(r."C2") AS "STAMP" FROM "D'B"."LOCK"."STG" AS r WHERE (r."STATE" IS NULL OR r."STATE" = 'X')) AS i) AS g) AS k ON k."SEQ" = a."SEQ" WHERE (a."STATE" IS NULL OR a."STATE" = 'X')) AS s LEFT JOIN "D'B"."S""1"."odd""stream;--" AS t ON t."doc" = IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AND t."id" = TRY_TO_DECIMAL(s."C6", 38, 0)) AS q) AS v;

-- classify scope
INSERT OVERWRITE INTO "D'B"."LOCK"."TYPED" ("SEQ", "OP", "KEY_HASH", "ROW_HASH", "HASH_BEFORE", "EXTRACTED", "BAD", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14") SELECT v."SEQ", v."OP", v."KEY_HASH", v."ROW_HASH", v."HASH_BEFORE", v."EXTRACTED", IFF(v."OP" IN ('insert', 'update') AND (v."T0" IS NOT NULL AND v."C0" IS NULL OR v."T1" IS NOT NULL AND v."C1" IS NULL OR v."T2" IS NOT NULL AND v."C2" IS NULL OR v."T3" IS NOT NULL AND v."C3" IS NULL OR v."T4" IS NOT NULL AND v."C4" IS NULL OR v."T5" IS NOT NULL AND v."C5" IS NULL OR v."T6" IS NOT NULL AND v."C6" IS NULL OR v."T7" IS NOT NULL AND v."C7" IS NULL OR v."T8" IS NOT NULL AND v."C8" IS NULL OR v."T9" IS NOT NULL AND v."C9" IS NULL OR v."T10" IS NOT NULL AND v."C10" IS NULL OR v."T11" IS NOT NULL AND v."C11" IS NULL OR v."T12" IS NOT NULL AND v."C12" IS NULL OR v."T13" IS NOT NULL AND v."C13" IS NULL OR v."T14" IS NOT NULL AND v."C14" IS NULL), CONCAT(IFF(v."T0" IS NOT NULL AND v."C0" IS NULL, '0,', ''), IFF(v."T1" IS NOT NULL AND v."C1" IS NULL, '1,', ''), IFF(v."T2" IS NOT NULL AND v."C2" IS NULL, '2,', ''), IFF(v."T3" IS NOT NULL AND v."C3" IS NULL, '3,', ''), IFF(v."T4" IS NOT NULL AND v."C4" IS NULL, '4,', ''), IFF(v."T5" IS NOT NULL AND v."C5" IS NULL, '5,', ''), IFF(v."T6" IS NOT NULL AND v."C6" IS NULL, '6,', ''), IFF(v."T7" IS NOT NULL AND v."C7" IS NULL, '7,', ''), IFF(v."T8" IS NOT NULL AND v."C8" IS NULL, '8,', ''), IFF(v."T9" IS NOT NULL AND v."C9" IS NULL, '9,', ''), IFF(v."T10" IS NOT NULL AND v."C10" IS NULL, '10,', ''), IFF(v."T11" IS NOT NULL AND v."C11" IS NULL, '11,', ''), IFF(v."T12" IS NOT NULL AND v."C12" IS NULL, '12,', ''), IFF(v."T13" IS NOT NULL AND v."C13" IS NULL, '13,', ''), IFF(v."T14" IS NOT NULL AND v."C14" IS NULL, '14,', ''), ''), NULL), v."C0", v."C1", v."C2", v."C3", v."C4", v."C5", v."C6", v."C7", v."C8", v."C9", v."C10", v."C11", v."C12", v."C13", v."C14" FROM (SELECT q."SEQ", q."OP", q."KEY_HASH", q."ROW_HASH", q."HASH_BEFORE", TRY_TO_TIMESTAMP_NTZ(q."EXTRACTED") AS "EXTRACTED", q."C0" AS "T0", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C0") <= 16777216, q."C0", NULL), NULL) AS "C0", q."C1" AS "T1", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DECIMAL(q."C1", 38, 2), NULL) AS "C1", q."C2" AS "T2", IFF(q."OP" IN ('insert', 'update'), TRY_TO_TIMESTAMP_NTZ(q."C2"), NULL) AS "C2", q."C3" AS "T3", IFF(LENGTH(q."C3") <= 5, q."C3", NULL) AS "C3", q."C4" AS "T4", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C4") <= 16777216, q."C4", NULL), NULL) AS "C4", q."C5" AS "T5", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C5") <= 16777216, q."C5", NULL), NULL) AS "C5", q."C6" AS "T6", TRY_TO_DECIMAL(q."C6", 38, 0) AS "C6", q."C7" AS "T7", IFF(q."OP" IN ('insert', 'update'), TRY_PARSE_JSON(q."C7"), NULL) AS "C7", q."C8" AS "T8", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DATE(q."C8"), NULL) AS "C8", q."C9" AS "T9", IFF(q."OP" IN ('insert', 'update'), TRY_TO_BOOLEAN(q."C9"), NULL) AS "C9", q."C10" AS "T10", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C10") <= 16777216, q."C10", NULL), NULL) AS "C10", q."C11" AS "T11", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DOUBLE(q."C11"), NULL) AS "C11", q."C12" AS "T12", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C12") <= 16777216, q."C12", NULL), NULL) AS "C12", q."C13" AS "T13", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C13") <= 16777216, q."C13", NULL), NULL) AS "C13", q."C14" AS "T14", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C14") <= 16777216, q."C14", NULL), NULL) AS "C14" FROM (SELECT s.*, CASE WHEN s."RN" > 1 THEN 'deduplicated' WHEN s."STATE" = 'X' AND (t."doc" IS NULL OR t."_AUDIT_DELETED_AT" IS NOT NULL) THEN 'unchanged' WHEN t."doc" IS NULL THEN 'insert' WHEN s."STAMP" < t."at" AND s."UNSTAMPED" IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, 'older', 'older_deleted') WHEN s."STATE" = 'X' THEN 'delete' WHEN t."_AUDIT_DELETED_AT" IS NULL AND t."_AUDIT_ROW_HASH" = s."ROW_HASH" THEN 'unchanged' ELSE 'update' END AS "OP", t."_AUDIT_ROW_HASH" AS "HASH_BEFORE" FROM (SELECT a.*, k."STAMP", k."UNSTAMPED", k."RN" FROM "D'B"."LOCK"."STG" AS a JOIN (SELECT g."SEQ", g."STAMP", g."UNSTAMPED", ROW_NUMBER() OVER (PARTITION BY g."KEY_HASH" ORDER BY IFF(g."UNSTAMPED" IS NULL OR g."SEQ" >= g."UNSTAMPED", 1, 0) DESC, g."STAMP" DESC NULLS LAST, g."SEQ" DESC) AS "RN" FROM (SELECT i.*, MAX(IFF(i."STAMP" IS NULL, i."SEQ", NULL)) OVER (PARTITION BY i."KEY_HASH") AS "UNSTAMPED" FROM (SELECT r."SEQ", r."KEY_HASH", TRY_TO_TIMESTAMP_NTZ(r."C2") AS "STAMP" FROM "D'B"."LOCK"."STG" AS r WHERE (r."STATE" IS NULL OR r."STATE" = 'X')) AS i) AS g) AS k ON k."SEQ" = a."SEQ" WHERE (a."STATE" IS NULL OR a."STATE" = 'X')) AS s LEFT JOIN "D'B"."S""1"."odd""stream;--" AS t ON t."doc" = IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AND t."id" = TRY_TO_DECIMAL(s."C6", 38, 0)) AS q) AS v UNION ALL SELECT CAST(NULL AS NUMBER(38,0)), 'remove', SHA2(CONCAT(TO_VARCHAR(LENGTH(t."doc")), ':', t."doc", ',', TO_VARCHAR(LENGTH(TO_VARCHAR(t."id"))), ':', TO_VARCHAR(t."id"), ','), 256), CAST(NULL AS VARCHAR), t."_AUDIT_ROW_HASH", CAST(NULL AS TIMESTAMP_NTZ(9)), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(NULL AS NUMBER(38,2)), CAST(NULL AS TIMESTAMP_NTZ), t."doc", CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), t."id", CAST(NULL AS VARIANT), CAST(NULL AS DATE), CAST(NULL AS BOOLEAN), CAST(NULL AS VARCHAR), CAST(NULL AS FLOAT), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR) FROM "D'B"."S""1"."odd""stream;--" AS t JOIN (SELECT s."C3" FROM "D'B"."LOCK"."STG" AS s LEFT JOIN "D'B"."S""1"."odd""stream;--" AS t ON t."doc" = IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AND t."id" = TRY_TO_DECIMAL(s."C6", 38, 0) GROUP BY s."C3" HAVING COUNT(*) = COUNT(s."KEY_HASH") AND COUNT(IFF(TRY_TO_TIMESTAMP_NTZ(s."C2") < t."at", 1, NULL)) = 0) AS d ON t."doc" = IFF(LENGTH(d."C3") <= 5, d."C3", NULL) LEFT JOIN "D'B"."LOCK"."STG" AS s ON t."doc" = IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AND t."id" = TRY_TO_DECIMAL(s."C6", 38, 0) WHERE s."SEQ" IS NULL AND t."_AUDIT_DELETED_AT" IS NULL;

-- classify all
INSERT OVERWRITE INTO "D'B"."LOCK"."TYPED" ("SEQ", "OP", "KEY_HASH", "ROW_HASH", "HASH_BEFORE", "EXTRACTED", "BAD", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14") SELECT v."SEQ", v."OP", v."KEY_HASH", v."ROW_HASH", v."HASH_BEFORE", v."EXTRACTED", IFF(v."OP" IN ('insert', 'update') AND (v."T0" IS NOT NULL AND v."C0" IS NULL OR v."T1" IS NOT NULL AND v."C1" IS NULL OR v."T2" IS NOT NULL AND v."C2" IS NULL OR v."T3" IS NOT NULL AND v."C3" IS NULL OR v."T4" IS NOT NULL AND v."C4" IS NULL OR v."T5" IS NOT NULL AND v."C5" IS NULL OR v."T6" IS NOT NULL AND v."C6" IS NULL OR v."T7" IS NOT NULL AND v."C7" IS NULL OR v."T8" IS NOT NULL AND v."C8" IS NULL OR v."T9" IS NOT NULL AND v."C9" IS NULL OR v."T10" IS NOT NULL AND v."C10" IS NULL OR v."T11" IS NOT NULL AND v."C11" IS NULL OR v."T12" IS NOT NULL AND v."C12" IS NULL OR v."T13" IS NOT NULL AND v."C13" IS NULL OR v."T14" IS NOT NULL AND v."C14" IS NULL), CONCAT(IFF(v."T0" IS NOT NULL AND v."C0" IS NULL, '0,', ''), IFF(v."T1" IS NOT NULL AND v."C1" IS NULL, '1,', ''), IFF(v."T2" IS NOT NULL AND v."C2" IS NULL, '2,', ''), IFF(v."T3" IS NOT NULL AND v."C3" IS NULL, '3,', ''), IFF(v."T4" IS NOT NULL AND v."C4" IS NULL, '4,', ''), IFF(v."T5" IS NOT NULL AND v."C5" IS NULL, '5,', ''), IFF(v."T6" IS NOT NULL AND v."C6" IS NULL, '6,', ''), IFF(v."T7" IS NOT NULL AND v."C7" IS NULL, '7,', ''), IFF(v."T8" IS NOT NULL AND v."C8" IS NULL, '8,', ''), IFF(v."T9" IS NOT NULL AND v."C9" IS NULL, '9,', ''), IFF(v."T10" IS NOT NULL AND v."C10" IS NULL, '10,', ''), IFF(v."T11" IS NOT NULL AND v."C11" IS NULL, '11,', ''), IFF(v."T12" IS NOT NULL AND v."C12" IS NULL, '12,', ''), IFF(v."T13" IS NOT NULL AND v."C13" IS NULL, '13,', ''), IFF(v."T14" IS NOT NULL AND v."C14" IS NULL, '14,', ''), ''), NULL), v."C0", v."C1", v."C2", v."C3", v."C4", v."C5", v."C6", v."C7", v."C8", v."C9", v."C10", v."C11", v."C12", v."C13", v."C14" FROM (SELECT q."SEQ", q."OP", q."KEY_HASH", q."ROW_HASH", q."HASH_BEFORE", TRY_TO_TIMESTAMP_NTZ(q."EXTRACTED") AS "EXTRACTED", q."C0" AS "T0", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C0") <= 16777216, q."C0", NULL), NULL) AS "C0", q."C1" AS "T1", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DECIMAL(q."C1", 38, 2), NULL) AS "C1", q."C2" AS "T2", IFF(q."OP" IN ('insert', 'update'), TRY_TO_TIMESTAMP_NTZ(q."C2"), NULL) AS "C2", q."C3" AS "T3", IFF(LENGTH(q."C3") <= 5, q."C3", NULL) AS "C3", q."C4" AS "T4", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C4") <= 16777216, q."C4", NULL), NULL) AS "C4", q."C5" AS "T5", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C5") <= 16777216, q."C5", NULL), NULL) AS "C5", q."C6" AS "T6", TRY_TO_DECIMAL(q."C6", 38, 0) AS "C6", q."C7" AS "T7", IFF(q."OP" IN ('insert', 'update'), TRY_PARSE_JSON(q."C7"), NULL) AS "C7", q."C8" AS "T8", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DATE(q."C8"), NULL) AS "C8", q."C9" AS "T9", IFF(q."OP" IN ('insert', 'update'), TRY_TO_BOOLEAN(q."C9"), NULL) AS "C9", q."C10" AS "T10", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C10") <= 16777216, q."C10", NULL), NULL) AS "C10", q."C11" AS "T11", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DOUBLE(q."C11"), NULL) AS "C11", q."C12" AS "T12", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C12") <= 16777216, q."C12", NULL), NULL) AS "C12", q."C13" AS "T13", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C13") <= 16777216, q."C13", NULL), NULL) AS "C13", q."C14" AS "T14", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C14") <= 16777216, q."C14", NULL), NULL) AS "C14" FROM (SELECT s.*, CASE WHEN s."RN" > 1 THEN 'deduplicated' WHEN s."STATE" = 'X' AND (t."doc" IS NULL OR t."_AUDIT_DELETED_AT" IS NOT NULL) THEN 'unchanged' WHEN t."doc" IS NULL THEN 'insert' WHEN s."STAMP" < t."at" AND s."UNSTAMPED" IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, 'older', 'older_deleted') WHEN s."STATE" = 'X' THEN 'delete' WHEN t."_AUDIT_DELETED_AT" IS NULL AND t."_AUDIT_ROW_HASH" = s."ROW_HASH" THEN 'unchanged' ELSE 'update' END AS "OP", t."_AUDIT_ROW_HASH" AS "HASH_BEFORE" FROM (SELECT a.*, k."STAMP", k."UNSTAMPED", k."RN" FROM "D'B"."LOCK"."STG" AS a JOIN (SELECT g."SEQ", g."STAMP", g."UNSTAMPED", ROW_NUMBER() OVER (PARTITION BY g."KEY_HASH" ORDER BY IFF(g."UNSTAMPED" IS NULL OR g."SEQ" >= g."UNSTAMPED", 1, 0) DESC, g."STAMP" DESC NULLS LAST, g."SEQ" DESC) AS "RN" FROM (SELECT i.*, MAX(IFF(i."STAMP" IS NULL, i."SEQ", NULL)) OVER (PARTITION BY i."KEY_HASH") AS "UNSTAMPED" FROM (SELECT r."SEQ", r."KEY_HASH", TRY_TO_TIMESTAMP_NTZ(r."C2") AS "STAMP" FROM "D'B"."LOCK"."STG" AS r WHERE (r."STATE" IS NULL OR r."STATE" = 'X')) AS i) AS g) AS k ON k."SEQ" = a."SEQ" WHERE (a."STATE" IS NULL OR a."STATE" = 'X')) AS s LEFT JOIN "D'B"."S""1"."odd""stream;--" AS t ON t."doc" = IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AND t."id" = TRY_TO_DECIMAL(s."C6", 38, 0)) AS q) AS v UNION ALL SELECT CAST(NULL AS NUMBER(38,0)), 'remove', SHA2(CONCAT(TO_VARCHAR(LENGTH(t."doc")), ':', t."doc", ',', TO_VARCHAR(LENGTH(TO_VARCHAR(t."id"))), ':', TO_VARCHAR(t."id"), ','), 256), CAST(NULL AS VARCHAR), t."_AUDIT_ROW_HASH", CAST(NULL AS TIMESTAMP_NTZ(9)), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(NULL AS NUMBER(38,2)), CAST(NULL AS TIMESTAMP_NTZ), t."doc", CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), t."id", CAST(NULL AS VARIANT), CAST(NULL AS DATE), CAST(NULL AS BOOLEAN), CAST(NULL AS VARCHAR), CAST(NULL AS FLOAT), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR), CAST(NULL AS VARCHAR) FROM "D'B"."S""1"."odd""stream;--" AS t LEFT JOIN "D'B"."LOCK"."STG" AS s ON t."doc" = IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AND t."id" = TRY_TO_DECIMAL(s."C6", 38, 0) WHERE s."SEQ" IS NULL AND t."_AUDIT_DELETED_AT" IS NULL;

-- classify append
INSERT OVERWRITE INTO "D'B"."LOCK"."TYPED" ("SEQ", "OP", "KEY_HASH", "ROW_HASH", "HASH_BEFORE", "EXTRACTED", "BAD", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14") SELECT v."SEQ", v."OP", v."KEY_HASH", v."ROW_HASH", v."HASH_BEFORE", v."EXTRACTED", IFF(v."OP" IN ('insert', 'update') AND (v."T0" IS NOT NULL AND v."C0" IS NULL OR v."T1" IS NOT NULL AND v."C1" IS NULL OR v."T2" IS NOT NULL AND v."C2" IS NULL OR v."T3" IS NOT NULL AND v."C3" IS NULL OR v."T4" IS NOT NULL AND v."C4" IS NULL OR v."T5" IS NOT NULL AND v."C5" IS NULL OR v."T6" IS NOT NULL AND v."C6" IS NULL OR v."T7" IS NOT NULL AND v."C7" IS NULL OR v."T8" IS NOT NULL AND v."C8" IS NULL OR v."T9" IS NOT NULL AND v."C9" IS NULL OR v."T10" IS NOT NULL AND v."C10" IS NULL OR v."T11" IS NOT NULL AND v."C11" IS NULL OR v."T12" IS NOT NULL AND v."C12" IS NULL OR v."T13" IS NOT NULL AND v."C13" IS NULL OR v."T14" IS NOT NULL AND v."C14" IS NULL), CONCAT(IFF(v."T0" IS NOT NULL AND v."C0" IS NULL, '0,', ''), IFF(v."T1" IS NOT NULL AND v."C1" IS NULL, '1,', ''), IFF(v."T2" IS NOT NULL AND v."C2" IS NULL, '2,', ''), IFF(v."T3" IS NOT NULL AND v."C3" IS NULL, '3,', ''), IFF(v."T4" IS NOT NULL AND v."C4" IS NULL, '4,', ''), IFF(v."T5" IS NOT NULL AND v."C5" IS NULL, '5,', ''), IFF(v."T6" IS NOT NULL AND v."C6" IS NULL, '6,', ''), IFF(v."T7" IS NOT NULL AND v."C7" IS NULL, '7,', ''), IFF(v."T8" IS NOT NULL AND v."C8" IS NULL, '8,', ''), IFF(v."T9" IS NOT NULL AND v."C9" IS NULL, '9,', ''), IFF(v."T10" IS NOT NULL AND v."C10" IS NULL, '10,', ''), IFF(v."T11" IS NOT NULL AND v."C11" IS NULL, '11,', ''), IFF(v."T12" IS NOT NULL AND v."C12" IS NULL, '12,', ''), IFF(v."T13" IS NOT NULL AND v."C13" IS NULL, '13,', ''), IFF(v."T14" IS NOT NULL AND v."C14" IS NULL, '14,', ''), ''), NULL), v."C0", v."C1", v."C2", v."C3", v."C4", v."C5", v."C6", v."C7", v."C8", v."C9", v."C10", v."C11", v."C12", v."C13", v."C14" FROM (SELECT q."SEQ", q."OP", q."KEY_HASH", q."ROW_HASH", q."HASH_BEFORE", TRY_TO_TIMESTAMP_NTZ(q."EXTRACTED") AS "EXTRACTED", q."C0" AS "T0", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C0") <= 16777216, q."C0", NULL), NULL) AS "C0", q."C1" AS "T1", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DECIMAL(q."C1", 38, 2), NULL) AS "C1", q."C2" AS "T2", IFF(q."OP" IN ('insert', 'update'), TRY_TO_TIMESTAMP_NTZ(q."C2"), NULL) AS "C2", q."C3" AS "T3", IFF(LENGTH(q."C3") <= 5, q."C3", NULL) AS "C3", q."C4" AS "T4", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C4") <= 16777216, q."C4", NULL), NULL) AS "C4", q."C5" AS "T5", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C5") <= 16777216, q."C5", NULL), NULL) AS "C5", q."C6" AS "T6", TRY_TO_DECIMAL(q."C6", 38, 0) AS "C6", q."C7" AS "T7", IFF(q."OP" IN ('insert', 'update'), TRY_PARSE_JSON(q."C7"), NULL) AS "C7", q."C8" AS "T8", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DATE(q."C8"), NULL) AS "C8", q."C9" AS "T9", IFF(q."OP" IN ('insert', 'update'), TRY_TO_BOOLEAN(q."C9"), NULL) AS "C9", q."C10" AS "T10", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C10") <= 16777216, q."C10", NULL), NULL) AS "C10", q."C11" AS "T11", IFF(q."OP" IN ('insert', 'update'), TRY_TO_DOUBLE(q."C11"), NULL) AS "C11", q."C12" AS "T12", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C12") <= 16777216, q."C12", NULL), NULL) AS "C12", q."C13" AS "T13", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C13") <= 16777216, q."C13", NULL), NULL) AS "C13", q."C14" AS "T14", IFF(q."OP" IN ('insert', 'update'), IFF(LENGTH(q."C14") <= 16777216, q."C14", NULL), NULL) AS "C14" FROM (SELECT s.*, 'insert' AS "OP", CAST(NULL AS VARCHAR) AS "HASH_BEFORE" FROM "D'B"."LOCK"."STG" AS s WHERE (s."STATE" IS NULL OR s."STATE" = 'X')) AS q) AS v;

-- classify keep
INSERT OVERWRITE INTO "D'B"."LOCK"."TYPED" ("SEQ", "OP", "KEY_HASH", "ROW_HASH", "HASH_BEFORE", "EXTRACTED", "BAD", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14") SELECT m."SEQ", m."OP", m."KEY_HASH", IFF(m."OP" IN ('insert', 'update'), CONCAT('k1:', SHA2(CONCAT(COALESCE(CONCAT('''apostrophe'':', TO_VARCHAR(LENGTH(m."C0")), ':', m."C0", ','), ''), COALESCE(CONCAT('amount:', TO_VARCHAR(LENGTH(TO_VARCHAR(m."C1"))), ':', TO_VARCHAR(m."C1"), ','), ''), COALESCE(CONCAT('at:', TO_VARCHAR(LENGTH(RTRIM(RTRIM(TO_VARCHAR(m."C2", 'YYYY-MM-DD HH24:MI:SS.FF9'), '0'), '.'))), ':', RTRIM(RTRIM(TO_VARCHAR(m."C2", 'YYYY-MM-DD HH24:MI:SS.FF9'), '0'), '.'), ','), ''), COALESCE(CONCAT('doc:', TO_VARCHAR(LENGTH(m."C3")), ':', m."C3", ','), ''), COALESCE(CONCAT('dollar$$:', TO_VARCHAR(LENGTH(m."C4")), ':', m."C4", ','), ''), COALESCE(CONCAT('emoji 🙂:', TO_VARCHAR(LENGTH(m."C5")), ':', m."C5", ','), ''), COALESCE(CONCAT('id:', TO_VARCHAR(LENGTH(TO_VARCHAR(m."C6"))), ':', TO_VARCHAR(m."C6"), ','), ''), COALESCE(CONCAT('more:', TO_VARCHAR(LENGTH(TO_JSON(m."C7"))), ':', TO_JSON(m."C7"), ','), ''), COALESCE(CONCAT('on:', TO_VARCHAR(LENGTH(TO_VARCHAR(m."C8", 'YYYY-MM-DD'))), ':', TO_VARCHAR(m."C8", 'YYYY-MM-DD'), ','), ''), COALESCE(CONCAT('open:', TO_VARCHAR(LENGTH(TO_VARCHAR(m."C9"))), ':', TO_VARCHAR(m."C9"), ','), ''), COALESCE(CONCAT('quote"inside:', TO_VARCHAR(LENGTH(m."C10")), ':', m."C10", ','), ''), COALESCE(CONCAT('rate:', TO_VARCHAR(LENGTH(TO_VARCHAR(m."C11"))), ':', TO_VARCHAR(m."C11"), ','), ''), COALESCE(CONCAT('select:', TO_VARCHAR(LENGTH(m."C12")), ':', m."C12", ','), ''), COALESCE(CONCAT('semi;--:', TO_VARCHAR(LENGTH(m."C13")), ':', m."C13", ','), ''), COALESCE(CONCAT('sp ace:', TO_VARCHAR(LENGTH(m."C14")), ':', m."C14", ','), ''), ''), 256)), NULL), m."HASH_BEFORE", TRY_TO_TIMESTAMP_NTZ(m."EXTRACTED"), m."BAD", IFF(m."OP" IN ('insert', 'update'), m."C0", NULL), IFF(m."OP" IN ('insert', 'update'), m."C1", NULL), IFF(m."OP" IN ('insert', 'update'), m."C2", TRY_TO_TIMESTAMP_NTZ(m."OWN")), IFF(m."OP" IN ('insert', 'update'), m."C3", m."C3"), IFF(m."OP" IN ('insert', 'update'), m."C4", NULL), IFF(m."OP" IN ('insert', 'update'), m."C5", NULL), IFF(m."OP" IN ('insert', 'update'), m."C6", m."C6"), IFF(m."OP" IN ('insert', 'update'), m."C7", NULL), IFF(m."OP" IN ('insert', 'update'), m."C8", NULL), IFF(m."OP" IN ('insert', 'update'), m."C9", NULL), IFF(m."OP" IN ('insert', 'update'), m."C10", NULL), IFF(m."OP" IN ('insert', 'update'), m."C11", NULL), IFF(m."OP" IN ('insert', 'update'), m."C12", NULL), IFF(m."OP" IN ('insert', 'update'), m."C13", NULL), IFF(m."OP" IN ('insert', 'update'), m."C14", NULL) FROM (SELECT v.*, CASE WHEN v."BAD" IS NOT NULL THEN 'update' WHEN v."OLD" = 1 THEN IFF(v."GONE" IS NULL, 'older', 'older_deleted') WHEN v."SEQ" <> v."LAST" THEN 'deduplicated' WHEN v."STATE" = 'X' THEN IFF(v."THERE" AND v."GONE" IS NULL, 'delete', 'unchanged') WHEN NOT v."THERE" THEN 'insert' WHEN v."GONE" IS NULL AND v."T0" IS NOT DISTINCT FROM v."C0" AND v."T1" IS NOT DISTINCT FROM v."C1" AND v."T2" IS NOT DISTINCT FROM v."C2" AND v."T4" IS NOT DISTINCT FROM v."C4" AND v."T5" IS NOT DISTINCT FROM v."C5" AND TO_JSON(v."T7") IS NOT DISTINCT FROM TO_JSON(v."C7") AND v."T8" IS NOT DISTINCT FROM v."C8" AND v."T9" IS NOT DISTINCT FROM v."C9" AND v."T10" IS NOT DISTINCT FROM v."C10" AND v."T11" IS NOT DISTINCT FROM v."C11" AND v."T12" IS NOT DISTINCT FROM v."C12" AND v."T13" IS NOT DISTINCT FROM v."C13" AND v."T14" IS NOT DISTINCT FROM v."C14" THEN 'unchanged' ELSE 'update' END AS "OP" FROM (SELECT s."SEQ", s."STATE", s."KEY_HASH", s."EXTRACTED", s."BAD", s."OLD", s."LAST", SUBSTR(s."C2", 2) AS "OWN", t."_AUDIT_ROW_HASH" AS "HASH_BEFORE", t."_AUDIT_DELETED_AT" AS "GONE", t."doc" IS NOT NULL AS "THERE", CASE WHEN COALESCE(s."C0", SUBSTR(s."L0", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."'apostrophe'", NULL) WHEN COALESCE(s."C0", SUBSTR(s."L0", 14)) = '!' THEN NULL ELSE IFF(LENGTH(SUBSTR(COALESCE(s."C0", SUBSTR(s."L0", 14)), 2)) <= 16777216, SUBSTR(COALESCE(s."C0", SUBSTR(s."L0", 14)), 2), NULL) END AS "C0", CASE WHEN COALESCE(s."C1", SUBSTR(s."L1", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."amount", NULL) WHEN COALESCE(s."C1", SUBSTR(s."L1", 14)) = '!' THEN NULL ELSE TRY_TO_DECIMAL(SUBSTR(COALESCE(s."C1", SUBSTR(s."L1", 14)), 2), 38, 2) END AS "C1", CASE WHEN COALESCE(s."C2", SUBSTR(s."L2", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."at", NULL) WHEN COALESCE(s."C2", SUBSTR(s."L2", 14)) = '!' THEN NULL ELSE TRY_TO_TIMESTAMP_NTZ(SUBSTR(COALESCE(s."C2", SUBSTR(s."L2", 14)), 2)) END AS "C2", IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AS "C3", CASE WHEN COALESCE(s."C4", SUBSTR(s."L4", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."dollar$$", NULL) WHEN COALESCE(s."C4", SUBSTR(s."L4", 14)) = '!' THEN NULL ELSE IFF(LENGTH(SUBSTR(COALESCE(s."C4", SUBSTR(s."L4", 14)), 2)) <= 16777216, SUBSTR(COALESCE(s."C4", SUBSTR(s."L4", 14)), 2), NULL) END AS "C4", CASE WHEN COALESCE(s."C5", SUBSTR(s."L5", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."emoji 🙂", NULL) WHEN COALESCE(s."C5", SUBSTR(s."L5", 14)) = '!' THEN NULL ELSE IFF(LENGTH(SUBSTR(COALESCE(s."C5", SUBSTR(s."L5", 14)), 2)) <= 16777216, SUBSTR(COALESCE(s."C5", SUBSTR(s."L5", 14)), 2), NULL) END AS "C5", TRY_TO_DECIMAL(s."C6", 38, 0) AS "C6", CASE WHEN COALESCE(s."C7", SUBSTR(s."L7", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."more", NULL) WHEN COALESCE(s."C7", SUBSTR(s."L7", 14)) = '!' THEN NULL ELSE TRY_PARSE_JSON(SUBSTR(COALESCE(s."C7", SUBSTR(s."L7", 14)), 2)) END AS "C7", CASE WHEN COALESCE(s."C8", SUBSTR(s."L8", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."on", NULL) WHEN COALESCE(s."C8", SUBSTR(s."L8", 14)) = '!' THEN NULL ELSE TRY_TO_DATE(SUBSTR(COALESCE(s."C8", SUBSTR(s."L8", 14)), 2)) END AS "C8", CASE WHEN COALESCE(s."C9", SUBSTR(s."L9", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."open", NULL) WHEN COALESCE(s."C9", SUBSTR(s."L9", 14)) = '!' THEN NULL ELSE TRY_TO_BOOLEAN(SUBSTR(COALESCE(s."C9", SUBSTR(s."L9", 14)), 2)) END AS "C9", CASE WHEN COALESCE(s."C10", SUBSTR(s."L10", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."quote""inside", NULL) WHEN COALESCE(s."C10", SUBSTR(s."L10", 14)) = '!' THEN NULL ELSE IFF(LENGTH(SUBSTR(COALESCE(s."C10", SUBSTR(s."L10", 14)), 2)) <= 16777216, SUBSTR(COALESCE(s."C10", SUBSTR(s."L10", 14)), 2), NULL) END AS "C10", CASE WHEN COALESCE(s."C11", SUBSTR(s."L11", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."rate", NULL) WHEN COALESCE(s."C11", SUBSTR(s."L11", 14)) = '!' THEN NULL ELSE TRY_TO_DOUBLE(SUBSTR(COALESCE(s."C11", SUBSTR(s."L11", 14)), 2)) END AS "C11", CASE WHEN COALESCE(s."C12", SUBSTR(s."L12", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."select", NULL) WHEN COALESCE(s."C12", SUBSTR(s."L12", 14)) = '!' THEN NULL ELSE IFF(LENGTH(SUBSTR(COALESCE(s."C12", SUBSTR(s."L12", 14)), 2)) <= 16777216, SUBSTR(COALESCE(s."C12", SUBSTR(s."L12", 14)), 2), NULL) END AS "C12", CASE WHEN COALESCE(s."C13", SUBSTR(s."L13", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."semi;--", NULL) WHEN COALESCE(s."C13", SUBSTR(s."L13", 14)) = '!' THEN NULL ELSE IFF(LENGTH(SUBSTR(COALESCE(s."C13", SUBSTR(s."L13", 14)), 2)) <= 16777216, SUBSTR(COALESCE(s."C13", SUBSTR(s."L13", 14)), 2), NULL) END AS "C13", CASE WHEN COALESCE(s."C14", SUBSTR(s."L14", 14)) IS NULL THEN IFF(t."_AUDIT_DELETED_AT" IS NULL, t."sp ace", NULL) WHEN COALESCE(s."C14", SUBSTR(s."L14", 14)) = '!' THEN NULL ELSE IFF(LENGTH(SUBSTR(COALESCE(s."C14", SUBSTR(s."L14", 14)), 2)) <= 16777216, SUBSTR(COALESCE(s."C14", SUBSTR(s."L14", 14)), 2), NULL) END AS "C14", t."'apostrophe'" AS "T0", t."amount" AS "T1", t."at" AS "T2", t."dollar$$" AS "T4", t."emoji 🙂" AS "T5", t."more" AS "T7", t."on" AS "T8", t."open" AS "T9", t."quote""inside" AS "T10", t."rate" AS "T11", t."select" AS "T12", t."semi;--" AS "T13", t."sp ace" AS "T14" FROM (SELECT b.*, MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C0"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L0", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C1"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L1", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C2"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L2", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C4"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L4", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C5"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L5", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C7"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L7", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C8"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L8", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C9"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L9", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C10"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L10", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C11"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L11", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C12"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L12", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C13"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L13", MAX(IFF(b."TURNS" > 1 AND b."OLD" = 0 AND b."BAD" IS NULL AND b."STATE" IS NULL, CONCAT(TO_VARCHAR(b."SEQ" + 1000000000000), b."C14"), NULL)) OVER (PARTITION BY b."KEY_HASH") AS "L14" FROM (SELECT a.*, MAX(IFF(a."OLD" = 0 AND a."BAD" IS NULL, a."SEQ", NULL)) OVER (PARTITION BY a."KEY_HASH") AS "LAST", COUNT(IFF(a."OLD" = 0 AND a."BAD" IS NULL, IFF(a."STATE" IS NULL, 1, NULL), NULL)) OVER (PARTITION BY a."KEY_HASH") AS "TURNS" FROM (SELECT s.*, IFF(COALESCE(s."STAMP" < s."FLOOR", FALSE) OR COALESCE(s."EPOCH" = 0 AND s."STAMP" < t."at", FALSE), 1, 0) AS "OLD" FROM (SELECT j.*, MAX(IFF(j."BAD" IS NULL AND j."STATE" IS NULL, j."STAMP", NULL)) OVER (PARTITION BY j."KEY_HASH", j."EPOCH" ORDER BY j."SEQ" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS "FLOOR" FROM (SELECT i.*, COALESCE(SUM(IFF(i."BAD" IS NULL, i."RESET", 0)) OVER (PARTITION BY i."KEY_HASH" ORDER BY i."SEQ" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS "EPOCH" FROM (SELECT r.*, TRY_TO_TIMESTAMP_NTZ(SUBSTR(r."C2", 2)) AS "STAMP", IFF(r."STATE" IS NULL AND r."C2" = '!', 1, 0) AS "RESET", IFF(r."STATE" IS NULL, NULLIF(CONCAT(IFF(r."C0" <> '!' AND (LENGTH(SUBSTR(r."C0", 2)) > 16777216), '0,', ''), IFF(r."C1" <> '!' AND (SUBSTR(r."C1", 2) IS NOT NULL AND TRY_TO_DECIMAL(SUBSTR(r."C1", 2), 38, 2) IS NULL), '1,', ''), IFF(r."C2" <> '!' AND (SUBSTR(r."C2", 2) IS NOT NULL AND TRY_TO_TIMESTAMP_NTZ(SUBSTR(r."C2", 2)) IS NULL), '2,', ''), IFF(LENGTH(r."C3") > 5, '3,', ''), IFF(r."C4" <> '!' AND (LENGTH(SUBSTR(r."C4", 2)) > 16777216), '4,', ''), IFF(r."C5" <> '!' AND (LENGTH(SUBSTR(r."C5", 2)) > 16777216), '5,', ''), IFF(r."C6" IS NOT NULL AND TRY_TO_DECIMAL(r."C6", 38, 0) IS NULL, '6,', ''), IFF(r."C7" <> '!' AND (SUBSTR(r."C7", 2) IS NOT NULL AND TRY_PARSE_JSON(SUBSTR(r."C7", 2)) IS NULL), '7,', ''), IFF(r."C8" <> '!' AND (SUBSTR(r."C8", 2) IS NOT NULL AND TRY_TO_DATE(SUBSTR(r."C8", 2)) IS NULL), '8,', ''), IFF(r."C9" <> '!' AND (SUBSTR(r."C9", 2) IS NOT NULL AND TRY_TO_BOOLEAN(SUBSTR(r."C9", 2)) IS NULL), '9,', ''), IFF(r."C10" <> '!' AND (LENGTH(SUBSTR(r."C10", 2)) > 16777216), '10,', ''), IFF(r."C11" <> '!' AND (SUBSTR(r."C11", 2) IS NOT NULL AND TRY_TO_DOUBLE(SUBSTR(r."C11", 2)) IS NULL), '11,', ''), IFF(r."C12" <> '!' AND (LENGTH(SUBSTR(r."C12", 2)) > 16777216), '12,', ''), IFF(r."C13" <> '!' AND (LENGTH(SUBSTR(r."C13", 2)) > 16777216), '13,', ''), IFF(r."C14" <> '!' AND (LENGTH(SUBSTR(r."C14", 2)) > 16777216), '14,', ''), ''), ''), NULL) AS "BAD" FROM "D'B"."LOCK"."STG" AS r WHERE (r."STATE" IS NULL OR r."STATE" = 'X')) AS i) AS j) AS s LEFT JOIN "D'B"."S""1"."odd""stream;--" AS t ON t."doc" = IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AND t."id" = TRY_TO_DECIMAL(s."C6", 38, 0)) AS a) AS b) AS s LEFT JOIN "D'B"."S""1"."odd""stream;--" AS t ON t."doc" = IFF(LENGTH(s."C3") <= 5, s."C3", NULL) AND t."id" = TRY_TO_DECIMAL(s."C6", 38, 0)) AS v) AS m;

-- refused keep
SELECT y."SEQ", y."BAD", y."OP", k."SEQ" IS NOT NULL AS "KNOWN" FROM "D'B"."LOCK"."TYPED" AS y LEFT JOIN (SELECT DISTINCT o."SEQ" FROM "D'B"."AUDIT"."RECORD_HISTORY" AS h JOIN "D'B"."LOCK"."TYPED" AS o ON o."KEY_HASH" = h."KEY_HASH" AND h."SOURCE_TIME" = CAST(o."C2" AS TIMESTAMP_NTZ(9)) WHERE h."TARGET_TABLE" = 'x''y' AND o."OP" = 'older') AS k ON k."SEQ" = y."SEQ" WHERE y."BAD" IS NOT NULL OR y."OP" IN ('older', 'older_deleted') ORDER BY y."SEQ";

-- counts
SELECT "OP", COUNT(*), COUNT("BAD") FROM "D'B"."LOCK"."TYPED" GROUP BY "OP";

-- fates
SELECT "SEQ", "OP" FROM "D'B"."LOCK"."TYPED" WHERE "SEQ" IS NOT NULL ORDER BY "SEQ";

-- live
SELECT COUNT(*) FROM "D'B"."S""1"."odd""stream;--" WHERE "_AUDIT_DELETED_AT" IS NULL;

-- refused
SELECT y."SEQ", y."BAD", y."OP", k."ROW_HASH" IS NOT NULL AS "KNOWN" FROM "D'B"."LOCK"."TYPED" AS y LEFT JOIN (SELECT DISTINCT h."KEY_HASH", h."ROW_HASH" FROM "D'B"."AUDIT"."RECORD_HISTORY" AS h JOIN "D'B"."LOCK"."TYPED" AS o ON o."KEY_HASH" = h."KEY_HASH" AND o."ROW_HASH" = h."ROW_HASH" WHERE h."TARGET_TABLE" = 'x''y' AND o."OP" = 'older') AS k ON k."KEY_HASH" = y."KEY_HASH" AND k."ROW_HASH" = y."ROW_HASH" WHERE y."BAD" IS NOT NULL OR y."OP" IN ('older', 'older_deleted') ORDER BY y."SEQ";

-- refuse
UPDATE "D'B"."LOCK"."TYPED" SET "BAD" = '-1,' WHERE "SEQ" IN (1, 2);

-- history
INSERT INTO "D'B"."AUDIT"."RECORD_HISTORY" ("TARGET_TABLE", "STREAM", "KEY", "KEY_HASH", "OPERATION", "CAUSE", "BEFORE", "AFTER", "CHANGED_COLUMNS", "ROW_HASH_BEFORE", "ROW_HASH", "SOURCE_TIME", "EXTRACTED_AT", "LOADED_AT", "RUN_ID", "BATCH_ID", "SEQ") SELECT 't', 's', OBJECT_CONSTRUCT('doc', s."C3", 'id', TO_VARCHAR(s."C6")), s."KEY_HASH", IFF(s."OP" IN ('delete', 'remove'), 'delete', s."OP"), IFF(s."OP" IN ('remove'), 'replace_scope', 'record'), IFF(s."OP" IN ('insert'), NULL, OBJECT_CONSTRUCT('''apostrophe''', t."'apostrophe'", 'amount', TO_VARCHAR(t."amount"), 'at', TO_VARCHAR(t."at", 'YYYY-MM-DD HH24:MI:SS.FF9'), 'doc', t."doc", 'dollar$$', t."dollar$$", 'emoji 🙂', t."emoji 🙂", 'id', TO_VARCHAR(t."id"), 'more', t."more", 'on', TO_VARCHAR(t."on", 'YYYY-MM-DD'), 'open', t."open", 'quote"inside', t."quote""inside", 'rate', t."rate", 'select', t."select", 'semi;--', t."semi;--", 'sp ace', t."sp ace")), IFF(s."OP" IN ('insert', 'update'), OBJECT_CONSTRUCT('''apostrophe''', s."C0", 'amount', TO_VARCHAR(s."C1"), 'at', TO_VARCHAR(s."C2", 'YYYY-MM-DD HH24:MI:SS.FF9'), 'doc', s."C3", 'dollar$$', s."C4", 'emoji 🙂', s."C5", 'id', TO_VARCHAR(s."C6"), 'more', s."C7", 'on', TO_VARCHAR(s."C8", 'YYYY-MM-DD'), 'open', s."C9", 'quote"inside', s."C10", 'rate', s."C11", 'select', s."C12", 'semi;--', s."C13", 'sp ace', s."C14"), NULL), IFF(s."OP" IN ('update'), ARRAY_CONSTRUCT_COMPACT(IFF(t."'apostrophe'" IS DISTINCT FROM s."C0", '''apostrophe''', NULL), IFF(t."amount" IS DISTINCT FROM s."C1", 'amount', NULL), IFF(t."at" IS DISTINCT FROM s."C2", 'at', NULL), IFF(t."dollar$$" IS DISTINCT FROM s."C4", 'dollar$$', NULL), IFF(t."emoji 🙂" IS DISTINCT FROM s."C5", 'emoji 🙂', NULL), IFF(TO_JSON(t."more") IS DISTINCT FROM TO_JSON(s."C7"), 'more', NULL), IFF(t."on" IS DISTINCT FROM s."C8", 'on', NULL), IFF(t."open" IS DISTINCT FROM s."C9", 'open', NULL), IFF(t."quote""inside" IS DISTINCT FROM s."C10", 'quote"inside', NULL), IFF(t."rate" IS DISTINCT FROM s."C11", 'rate', NULL), IFF(t."select" IS DISTINCT FROM s."C12", 'select', NULL), IFF(t."semi;--" IS DISTINCT FROM s."C13", 'semi;--', NULL), IFF(t."sp ace" IS DISTINCT FROM s."C14", 'sp ace', NULL)), NULL), s."HASH_BEFORE", s."ROW_HASH", CAST(s."C2" AS TIMESTAMP_NTZ(9)), s."EXTRACTED", SYSDATE(), 'r', 'b', s."SEQ" FROM "D'B"."LOCK"."TYPED" AS s LEFT JOIN "D'B"."S""1"."odd""stream;--" AS t ON t."doc" = s."C3" AND t."id" = s."C6" WHERE s."OP" IN ('update', 'delete', 'remove', 'insert') AND s."BAD" IS NULL;

-- history redacted
INSERT INTO "D'B"."AUDIT"."RECORD_HISTORY" ("TARGET_TABLE", "STREAM", "KEY", "KEY_HASH", "OPERATION", "CAUSE", "BEFORE", "AFTER", "CHANGED_COLUMNS", "ROW_HASH_BEFORE", "ROW_HASH", "SOURCE_TIME", "EXTRACTED_AT", "LOADED_AT", "RUN_ID", "BATCH_ID", "SEQ") SELECT 't', 's', OBJECT_CONSTRUCT('doc', IFF(s."C3" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C3")), 256))), 'id', IFF(s."C6" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(s."C6"))), 256)))), s."KEY_HASH", IFF(s."OP" IN ('delete', 'remove'), 'delete', s."OP"), IFF(s."OP" IN ('remove'), 'replace_scope', 'record'), IFF(s."OP" IN ('insert'), NULL, OBJECT_CONSTRUCT('''apostrophe''', IFF(t."'apostrophe'" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."'apostrophe'")), 256))), 'amount', IFF(t."amount" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(t."amount"))), 256))), 'at', IFF(t."at" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(t."at", 'YYYY-MM-DD HH24:MI:SS.FF9'))), 256))), 'doc', IFF(t."doc" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."doc")), 256))), 'dollar$$', IFF(t."dollar$$" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."dollar$$")), 256))), 'emoji 🙂', IFF(t."emoji 🙂" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."emoji 🙂")), 256))), 'id', IFF(t."id" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(t."id"))), 256))), 'more', IFF(t."more" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_JSON(t."more")), 256))), 'on', IFF(t."on" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(t."on", 'YYYY-MM-DD'))), 256))), 'open', IFF(t."open" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."open")), 256))), 'quote"inside', IFF(t."quote""inside" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."quote""inside")), 256))), 'rate', IFF(t."rate" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."rate")), 256))), 'select', IFF(t."select" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."select")), 256))), 'semi;--', IFF(t."semi;--" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."semi;--")), 256))), 'sp ace', IFF(t."sp ace" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(t."sp ace")), 256))))), IFF(s."OP" IN ('insert', 'update'), OBJECT_CONSTRUCT('''apostrophe''', IFF(s."C0" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C0")), 256))), 'amount', IFF(s."C1" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(s."C1"))), 256))), 'at', IFF(s."C2" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(s."C2", 'YYYY-MM-DD HH24:MI:SS.FF9'))), 256))), 'doc', IFF(s."C3" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C3")), 256))), 'dollar$$', IFF(s."C4" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C4")), 256))), 'emoji 🙂', IFF(s."C5" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C5")), 256))), 'id', IFF(s."C6" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(s."C6"))), 256))), 'more', IFF(s."C7" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_JSON(s."C7")), 256))), 'on', IFF(s."C8" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(TO_VARCHAR(s."C8", 'YYYY-MM-DD'))), 256))), 'open', IFF(s."C9" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C9")), 256))), 'quote"inside', IFF(s."C10" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C10")), 256))), 'rate', IFF(s."C11" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C11")), 256))), 'select', IFF(s."C12" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C12")), 256))), 'semi;--', IFF(s."C13" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C13")), 256))), 'sp ace', IFF(s."C14" IS NULL, NULL, CONCAT('sha256:', SHA2(CONCAT((SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x), TO_VARCHAR(s."C14")), 256)))), NULL), IFF(s."OP" IN ('update'), ARRAY_CONSTRUCT_COMPACT(IFF(t."'apostrophe'" IS DISTINCT FROM s."C0", '''apostrophe''', NULL), IFF(t."amount" IS DISTINCT FROM s."C1", 'amount', NULL), IFF(t."at" IS DISTINCT FROM s."C2", 'at', NULL), IFF(t."dollar$$" IS DISTINCT FROM s."C4", 'dollar$$', NULL), IFF(t."emoji 🙂" IS DISTINCT FROM s."C5", 'emoji 🙂', NULL), IFF(TO_JSON(t."more") IS DISTINCT FROM TO_JSON(s."C7"), 'more', NULL), IFF(t."on" IS DISTINCT FROM s."C8", 'on', NULL), IFF(t."open" IS DISTINCT FROM s."C9", 'open', NULL), IFF(t."quote""inside" IS DISTINCT FROM s."C10", 'quote"inside', NULL), IFF(t."rate" IS DISTINCT FROM s."C11", 'rate', NULL), IFF(t."select" IS DISTINCT FROM s."C12", 'select', NULL), IFF(t."semi;--" IS DISTINCT FROM s."C13", 'semi;--', NULL), IFF(t."sp ace" IS DISTINCT FROM s."C14", 'sp ace', NULL)), NULL), s."HASH_BEFORE", s."ROW_HASH", CAST(s."C2" AS TIMESTAMP_NTZ(9)), s."EXTRACTED", SYSDATE(), 'r', 'b', s."SEQ" FROM "D'B"."LOCK"."TYPED" AS s LEFT JOIN "D'B"."S""1"."odd""stream;--" AS t ON t."doc" = s."C3" AND t."id" = s."C6" WHERE s."OP" IN ('update', 'delete', 'remove', 'insert') AND s."BAD" IS NULL;

-- create salt
CREATE TABLE "D'B"."LOCK"."SALT" AS SELECT SHA2(CONCAT(UUID_STRING(), UUID_STRING()), 256) AS "SALT";

-- read salt
SELECT x."SALT" FROM "D'B"."LOCK"."SALT" AS x;

-- history append
INSERT INTO "D'B"."AUDIT"."RECORD_HISTORY" ("TARGET_TABLE", "STREAM", "KEY", "KEY_HASH", "OPERATION", "CAUSE", "BEFORE", "AFTER", "CHANGED_COLUMNS", "ROW_HASH_BEFORE", "ROW_HASH", "SOURCE_TIME", "EXTRACTED_AT", "LOADED_AT", "RUN_ID", "BATCH_ID", "SEQ") SELECT 't', 's', OBJECT_CONSTRUCT('doc', s."C3", 'id', TO_VARCHAR(s."C6")), s."KEY_HASH", IFF(s."OP" IN ('delete', 'remove'), 'delete', s."OP"), IFF(s."OP" IN ('remove'), 'replace_scope', 'record'), IFF(s."OP" IN ('remove'), OBJECT_CONSTRUCT('''apostrophe''', s."C0", 'amount', TO_VARCHAR(s."C1"), 'at', TO_VARCHAR(s."C2", 'YYYY-MM-DD HH24:MI:SS.FF9'), 'doc', s."C3", 'dollar$$', s."C4", 'emoji 🙂', s."C5", 'id', TO_VARCHAR(s."C6"), 'more', s."C7", 'on', TO_VARCHAR(s."C8", 'YYYY-MM-DD'), 'open', s."C9", 'quote"inside', s."C10", 'rate', s."C11", 'select', s."C12", 'semi;--', s."C13", 'sp ace', s."C14"), NULL), IFF(s."OP" IN ('insert', 'update'), OBJECT_CONSTRUCT('''apostrophe''', s."C0", 'amount', TO_VARCHAR(s."C1"), 'at', TO_VARCHAR(s."C2", 'YYYY-MM-DD HH24:MI:SS.FF9'), 'doc', s."C3", 'dollar$$', s."C4", 'emoji 🙂', s."C5", 'id', TO_VARCHAR(s."C6"), 'more', s."C7", 'on', TO_VARCHAR(s."C8", 'YYYY-MM-DD'), 'open', s."C9", 'quote"inside', s."C10", 'rate', s."C11", 'select', s."C12", 'semi;--', s."C13", 'sp ace', s."C14"), NULL), NULL, s."HASH_BEFORE", s."ROW_HASH", CAST(s."C2" AS TIMESTAMP_NTZ(9)), s."EXTRACTED", SYSDATE(), 'r', 'b', s."SEQ" FROM "D'B"."LOCK"."TYPED" AS s WHERE s."OP" IN ('update', 'delete', 'remove', 'insert') AND s."BAD" IS NULL;

-- merge
MERGE INTO "D'B"."S""1"."odd""stream;--" AS t USING (SELECT * FROM "D'B"."LOCK"."TYPED" AS s WHERE s."OP" IN ('insert', 'update', 'delete', 'remove') AND s."BAD" IS NULL) AS s ON t."doc" = s."C3" AND t."id" = s."C6" WHEN MATCHED AND s."OP" IN ('delete', 'remove') THEN UPDATE SET "_AUDIT_DELETED_AT" = SYSDATE(), "_AUDIT_BATCH_ID" = 'b' WHEN MATCHED THEN UPDATE SET "'apostrophe'" = s."C0", "amount" = s."C1", "at" = s."C2", "doc" = s."C3", "dollar$$" = s."C4", "emoji 🙂" = s."C5", "id" = s."C6", "more" = s."C7", "on" = s."C8", "open" = s."C9", "quote""inside" = s."C10", "rate" = s."C11", "select" = s."C12", "semi;--" = s."C13", "sp ace" = s."C14", "_AUDIT_BATCH_ID" = 'b', "_AUDIT_ROW_HASH" = s."ROW_HASH", "_AUDIT_SEQ" = s."SEQ", "_AUDIT_LOADED_AT" = SYSDATE(), "_AUDIT_DELETED_AT" = NULL WHEN NOT MATCHED AND s."OP" IN ('insert') THEN INSERT ("'apostrophe'", "amount", "at", "doc", "dollar$$", "emoji 🙂", "id", "more", "on", "open", "quote""inside", "rate", "select", "semi;--", "sp ace", "_AUDIT_BATCH_ID", "_AUDIT_ROW_HASH", "_AUDIT_SEQ", "_AUDIT_LOADED_AT", "_AUDIT_DELETED_AT") VALUES (s."C0", s."C1", s."C2", s."C3", s."C4", s."C5", s."C6", s."C7", s."C8", s."C9", s."C10", s."C11", s."C12", s."C13", s."C14", 'b', s."ROW_HASH", s."SEQ", SYSDATE(), NULL);

-- merge hard
MERGE INTO "D'B"."S""1"."odd""stream;--" AS t USING (SELECT * FROM "D'B"."LOCK"."TYPED" AS s WHERE s."OP" IN ('insert', 'update', 'delete', 'remove') AND s."BAD" IS NULL AND s."SEQ" BETWEEN 1 AND 2) AS s ON t."doc" = s."C3" AND t."id" = s."C6" WHEN MATCHED AND s."OP" IN ('delete', 'remove') THEN DELETE WHEN MATCHED THEN UPDATE SET "'apostrophe'" = s."C0", "amount" = s."C1", "at" = s."C2", "doc" = s."C3", "dollar$$" = s."C4", "emoji 🙂" = s."C5", "id" = s."C6", "more" = s."C7", "on" = s."C8", "open" = s."C9", "quote""inside" = s."C10", "rate" = s."C11", "select" = s."C12", "semi;--" = s."C13", "sp ace" = s."C14", "_AUDIT_BATCH_ID" = 'b', "_AUDIT_ROW_HASH" = s."ROW_HASH", "_AUDIT_SEQ" = s."SEQ", "_AUDIT_LOADED_AT" = SYSDATE(), "_AUDIT_DELETED_AT" = NULL WHEN NOT MATCHED AND s."OP" IN ('insert') THEN INSERT ("'apostrophe'", "amount", "at", "doc", "dollar$$", "emoji 🙂", "id", "more", "on", "open", "quote""inside", "rate", "select", "semi;--", "sp ace", "_AUDIT_BATCH_ID", "_AUDIT_ROW_HASH", "_AUDIT_SEQ", "_AUDIT_LOADED_AT", "_AUDIT_DELETED_AT") VALUES (s."C0", s."C1", s."C2", s."C3", s."C4", s."C5", s."C6", s."C7", s."C8", s."C9", s."C10", s."C11", s."C12", s."C13", s."C14", 'b', s."ROW_HASH", s."SEQ", SYSDATE(), NULL);

-- append
INSERT INTO "D'B"."S""1"."odd""stream;--" ("'apostrophe'", "amount", "at", "doc", "dollar$$", "emoji 🙂", "id", "more", "on", "open", "quote""inside", "rate", "select", "semi;--", "sp ace", "_AUDIT_BATCH_ID", "_AUDIT_ROW_HASH", "_AUDIT_SEQ", "_AUDIT_LOADED_AT") SELECT s."C0", s."C1", s."C2", s."C3", s."C4", s."C5", s."C6", s."C7", s."C8", s."C9", s."C10", s."C11", s."C12", s."C13", s."C14", 'b', s."ROW_HASH", s."SEQ", SYSDATE() FROM "D'B"."LOCK"."TYPED" AS s WHERE s."OP" IN ('insert') AND s."BAD" IS NULL;

-- shadow
CREATE TRANSIENT TABLE "D'B"."LOCK"."TYPED" ("'apostrophe'" VARCHAR COMMENT 'about ''apostrophe''', "amount" NUMBER(38,2), "at" TIMESTAMP_NTZ, "doc" VARCHAR(5), "dollar$$" VARCHAR COMMENT 'about dollar$$', "emoji 🙂" VARCHAR COMMENT 'about emoji 🙂', "id" NUMBER(38,0), "more" VARIANT, "on" DATE, "open" BOOLEAN, "quote""inside" VARCHAR COMMENT 'about quote"inside', "rate" FLOAT, "select" VARCHAR COMMENT 'about select', "semi;--" VARCHAR COMMENT 'about semi;--', "sp ace" VARCHAR COMMENT 'about sp ace', "_AUDIT_BATCH_ID" VARCHAR COMMENT 'Batch that wrote the row last; see BATCHES in the audit schema', "_AUDIT_ROW_HASH" VARCHAR COMMENT 'Versioned digest of the values', "_AUDIT_SEQ" NUMBER(38,0) COMMENT 'Arrival number of the record in its run', "_AUDIT_LOADED_AT" TIMESTAMP_NTZ(9) COMMENT 'When the row was written last (UTC, Snowflake''s clock)', "_AUDIT_DELETED_AT" TIMESTAMP_NTZ(9) COMMENT 'When the source no longer had the row; null = live');

-- compare
INSERT OVERWRITE INTO "D'B"."LOCK"."TYPED" ("SEQ", "OP", "KEY_HASH", "ROW_HASH", "HASH_BEFORE", "EXTRACTED", "BAD", "BATCH_BEFORE", "LOADED_BEFORE", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14") SELECT IFF(t."_AUDIT_ROW_HASH" = s."_AUDIT_ROW_HASH", t."_AUDIT_SEQ", s."_AUDIT_SEQ"), CASE WHEN t."doc" IS NULL THEN 'insert' WHEN t."_AUDIT_ROW_HASH" = s."_AUDIT_ROW_HASH" THEN 'unchanged' ELSE 'update' END, SHA2(CONCAT(TO_VARCHAR(LENGTH(s."doc")), ':', s."doc", ',', TO_VARCHAR(LENGTH(TO_VARCHAR(s."id"))), ':', TO_VARCHAR(s."id"), ','), 256), s."_AUDIT_ROW_HASH", t."_AUDIT_ROW_HASH", CAST(NULL AS TIMESTAMP_NTZ(9)), CAST(NULL AS VARCHAR), t."_AUDIT_BATCH_ID", t."_AUDIT_LOADED_AT", s."'apostrophe'", s."amount", s."at", s."doc", s."dollar$$", s."emoji 🙂", s."id", s."more", s."on", s."open", s."quote""inside", s."rate", s."select", s."semi;--", s."sp ace" FROM (SELECT x.* FROM "D'B"."LOCK"."SHADOW" AS x WHERE x."_AUDIT_DELETED_AT" IS NULL) AS s LEFT JOIN (SELECT x.* FROM "D'B"."S""1"."odd""stream;--" AS x WHERE x."_AUDIT_DELETED_AT" IS NULL) AS t ON t."doc" = s."doc" AND t."id" = s."id" UNION ALL SELECT t."_AUDIT_SEQ", IFF(k."KEY_HASH" IS NULL, 'remove', 'kept'), SHA2(CONCAT(TO_VARCHAR(LENGTH(t."doc")), ':', t."doc", ',', TO_VARCHAR(LENGTH(TO_VARCHAR(t."id"))), ':', TO_VARCHAR(t."id"), ','), 256), IFF(k."KEY_HASH" IS NULL, NULL, t."_AUDIT_ROW_HASH"), t."_AUDIT_ROW_HASH", CAST(NULL AS TIMESTAMP_NTZ(9)), CAST(NULL AS VARCHAR), t."_AUDIT_BATCH_ID", t."_AUDIT_LOADED_AT", t."'apostrophe'", t."amount", t."at", t."doc", t."dollar$$", t."emoji 🙂", t."id", t."more", t."on", t."open", t."quote""inside", t."rate", t."select", t."semi;--", t."sp ace" FROM (SELECT x.* FROM "D'B"."S""1"."odd""stream;--" AS x WHERE x."_AUDIT_DELETED_AT" IS NULL) AS t LEFT JOIN (SELECT x.* FROM "D'B"."LOCK"."SHADOW" AS x WHERE x."_AUDIT_DELETED_AT" IS NULL) AS s ON t."doc" = s."doc" AND t."id" = s."id" LEFT JOIN (SELECT 1) AS k ON k."KEY_HASH" = SHA2(CONCAT(TO_VARCHAR(LENGTH(t."doc")), ':', t."doc", ',', TO_VARCHAR(LENGTH(TO_VARCHAR(t."id"))), ':', TO_VARCHAR(t."id"), ','), 256) WHERE s."_AUDIT_ROW_HASH" IS NULL;

-- compare without key
INSERT OVERWRITE INTO "D'B"."LOCK"."TYPED" ("SEQ", "OP", "KEY_HASH", "ROW_HASH", "HASH_BEFORE", "EXTRACTED", "BAD", "BATCH_BEFORE", "LOADED_BEFORE", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12", "C13", "C14") SELECT IFF(t."_AUDIT_ROW_HASH" = s."_AUDIT_ROW_HASH", t."_AUDIT_SEQ", s."_AUDIT_SEQ"), CASE WHEN t."_AUDIT_ROW_HASH" IS NULL THEN 'insert' WHEN t."_AUDIT_ROW_HASH" = s."_AUDIT_ROW_HASH" THEN 'unchanged' ELSE 'update' END, COALESCE(SPLIT_PART(s."_AUDIT_ROW_HASH", ':', 2), ''), s."_AUDIT_ROW_HASH", t."_AUDIT_ROW_HASH", CAST(NULL AS TIMESTAMP_NTZ(9)), CAST(NULL AS VARCHAR), t."_AUDIT_BATCH_ID", t."_AUDIT_LOADED_AT", s."'apostrophe'", s."amount", s."at", s."doc", s."dollar$$", s."emoji 🙂", s."id", s."more", s."on", s."open", s."quote""inside", s."rate", s."select", s."semi;--", s."sp ace" FROM (SELECT x.*, ROW_NUMBER() OVER (PARTITION BY x."_AUDIT_ROW_HASH" ORDER BY x."_AUDIT_SEQ") AS "_AUDIT_TURN" FROM "D'B"."LOCK"."SHADOW" AS x WHERE x."_AUDIT_DELETED_AT" IS NULL) AS s LEFT JOIN (SELECT x.*, ROW_NUMBER() OVER (PARTITION BY x."_AUDIT_ROW_HASH" ORDER BY x."_AUDIT_SEQ") AS "_AUDIT_TURN" FROM "D'B"."S""1"."odd""stream;--" AS x WHERE x."_AUDIT_DELETED_AT" IS NULL) AS t ON s."_AUDIT_ROW_HASH" = t."_AUDIT_ROW_HASH" AND s."_AUDIT_TURN" = t."_AUDIT_TURN" UNION ALL SELECT t."_AUDIT_SEQ", 'remove', COALESCE(SPLIT_PART(t."_AUDIT_ROW_HASH", ':', 2), ''), NULL, t."_AUDIT_ROW_HASH", CAST(NULL AS TIMESTAMP_NTZ(9)), CAST(NULL AS VARCHAR), t."_AUDIT_BATCH_ID", t."_AUDIT_LOADED_AT", t."'apostrophe'", t."amount", t."at", t."doc", t."dollar$$", t."emoji 🙂", t."id", t."more", t."on", t."open", t."quote""inside", t."rate", t."select", t."semi;--", t."sp ace" FROM (SELECT x.*, ROW_NUMBER() OVER (PARTITION BY x."_AUDIT_ROW_HASH" ORDER BY x."_AUDIT_SEQ") AS "_AUDIT_TURN" FROM "D'B"."S""1"."odd""stream;--" AS x WHERE x."_AUDIT_DELETED_AT" IS NULL) AS t LEFT JOIN (SELECT x.*, ROW_NUMBER() OVER (PARTITION BY x."_AUDIT_ROW_HASH" ORDER BY x."_AUDIT_SEQ") AS "_AUDIT_TURN" FROM "D'B"."LOCK"."SHADOW" AS x WHERE x."_AUDIT_DELETED_AT" IS NULL) AS s ON s."_AUDIT_ROW_HASH" = t."_AUDIT_ROW_HASH" AND s."_AUDIT_TURN" = t."_AUDIT_TURN"  WHERE s."_AUDIT_ROW_HASH" IS NULL;

-- kept letters
SELECT DISTINCT "KEY_HASH" FROM "D'B"."AUDIT"."DEAD_LETTERS" WHERE "TARGET_TABLE" = 't''' AND "KEY_HASH" IS NOT NULL AND ("RUN_ID" = 'r' OR "DEAD_LETTER_ID" IN (SELECT "DEAD_LETTER_ID" FROM "D'B"."AUDIT"."RECORD_HISTORY" WHERE "RUN_ID" = 'r'));

-- replace
INSERT OVERWRITE INTO "D'B"."S""1"."odd""stream;--" ("'apostrophe'", "amount", "at", "doc", "dollar$$", "emoji 🙂", "id", "more", "on", "open", "quote""inside", "rate", "select", "semi;--", "sp ace", "_AUDIT_BATCH_ID", "_AUDIT_ROW_HASH", "_AUDIT_SEQ", "_AUDIT_LOADED_AT", "_AUDIT_DELETED_AT") SELECT s."C0", s."C1", s."C2", s."C3", s."C4", s."C5", s."C6", s."C7", s."C8", s."C9", s."C10", s."C11", s."C12", s."C13", s."C14", IFF(s."OP" IN ('unchanged', 'kept'), s."BATCH_BEFORE", 'b'), s."ROW_HASH", s."SEQ", IFF(s."OP" IN ('unchanged', 'kept'), s."LOADED_BEFORE", SYSDATE()), CAST(NULL AS TIMESTAMP_NTZ(9)) FROM "D'B"."LOCK"."TYPED" AS s WHERE s."OP" <> 'remove';

-- dead letters
INSERT INTO "D'B"."AUDIT"."DEAD_LETTERS" ("DEAD_LETTER_ID", "RUN_ID", "BATCH_ID", "STREAM", "TARGET_TABLE", "SINGER_SCHEMA", "SCHEMA_SHA256", "KEY", "KEY_HASH", "PHASE", "REASON", "ERRORS", "RECORD", "RECORD_TEXT", "RECORD_SHA256", "REDACTED", "ERRNO", "SQLSTATE", "QUERY_ID", "SOURCE_TIME", "EXTRACTED_AT", "SEQ", "AT") SELECT l."BODY":"id"::VARCHAR, 'r', 'b', 's''', 't', PARSE_JSON('{"properties":{"''apostrophe''":{"description":"about ''apostrophe''","type":"string"},"amount":{"multipleOf":0.01,"type":"number"},"at":{"format":"date-time","type":"string"},"doc":{"maxLength":5,"type":"string"},"dollar$$":{"description":"about dollar$$","type":"string"},"emoji 🙂":{"description":"about emoji 🙂","type":"string"},"id":{"type":"integer"},"more":{"type":"object"},"on":{"format":"date","type":"string"},"open":{"type":"boolean"},"quote\\"inside":{"description":"about quote\\"inside","type":"string"},"rate":{"type":"number"},"select":{"description":"about select","type":"string"},"semi;--":{"description":"about semi;--","type":"string"},"sp ace":{"description":"about sp ace","type":"string"}},"type":"object","x-replace-scope":["doc"]}'), 'x', l."BODY":"key", l."KEY_HASH", l."BODY":"phase"::VARCHAR, l."BODY":"reason"::VARCHAR, l."BODY":"errors", TRY_PARSE_JSON(IFF(l."BODY":"json"::VARCHAR = 'true', l."RECORD", NULL)), l."RECORD", l."BODY":"sha256"::VARCHAR, l."BODY":"redacted", TRY_TO_NUMBER(l."BODY":"errno"::VARCHAR), l."BODY":"sqlstate"::VARCHAR, l."BODY":"query"::VARCHAR, TRY_TO_TIMESTAMP_NTZ(l."BODY":"source"::VARCHAR), TRY_TO_TIMESTAMP_NTZ(l."EXTRACTED"), l."SEQ", SYSDATE() FROM (SELECT b.* FROM (SELECT s."SEQ", s."KEY_HASH", s."EXTRACTED", s."RECORD", PARSE_JSON(s."LETTER") AS "BODY" FROM "D'B"."LOCK"."STG" AS s WHERE s."STATE" = 'D') AS b QUALIFY ROW_NUMBER() OVER (PARTITION BY b."BODY":"id"::VARCHAR ORDER BY b."SEQ") = 1) AS l LEFT JOIN "D'B"."AUDIT"."DEAD_LETTERS" AS d ON d."DEAD_LETTER_ID" = l."BODY":"id"::VARCHAR WHERE d."DEAD_LETTER_ID" IS NULL;

-- create table
CREATE TABLE IF NOT EXISTS "D'B"."S""1"."odd""stream;--" ("'apostrophe'" VARCHAR COMMENT 'about ''apostrophe''', "amount" NUMBER(38,2), "at" TIMESTAMP_NTZ, "doc" VARCHAR(5), "dollar$$" VARCHAR COMMENT 'about dollar$$', "emoji 🙂" VARCHAR COMMENT 'about emoji 🙂', "id" NUMBER(38,0), "more" VARIANT, "on" DATE, "open" BOOLEAN, "quote""inside" VARCHAR COMMENT 'about quote"inside', "rate" FLOAT, "select" VARCHAR COMMENT 'about select', "semi;--" VARCHAR COMMENT 'about semi;--', "sp ace" VARCHAR COMMENT 'about sp ace', "_AUDIT_BATCH_ID" VARCHAR COMMENT 'Batch that wrote the row last; see BATCHES in the audit schema', "_AUDIT_ROW_HASH" VARCHAR COMMENT 'Versioned digest of the values', "_AUDIT_SEQ" NUMBER(38,0) COMMENT 'Arrival number of the record in its run', "_AUDIT_LOADED_AT" TIMESTAMP_NTZ(9) COMMENT 'When the row was written last (UTC, Snowflake''s clock)', "_AUDIT_DELETED_AT" TIMESTAMP_NTZ(9) COMMENT 'When the source no longer had the row; null = live', PRIMARY KEY ("doc", "id")) COMMENT = 'Singer stream odd"stream;--; loaded by target-snowflake-audit';

-- create schema
CREATE SCHEMA IF NOT EXISTS "D'B"."S""1";

-- add
ALTER TABLE "D'B"."S""1"."odd""stream;--" ADD COLUMN "'apostrophe'" VARCHAR COMMENT 'about ''apostrophe''', "amount" NUMBER(38,2), "at" TIMESTAMP_NTZ, "doc" VARCHAR(5), "dollar$$" VARCHAR COMMENT 'about dollar$$', "emoji 🙂" VARCHAR COMMENT 'about emoji 🙂', "id" NUMBER(38,0), "more" VARIANT, "on" DATE, "open" BOOLEAN, "quote""inside" VARCHAR COMMENT 'about quote"inside', "rate" FLOAT, "select" VARCHAR COMMENT 'about select', "semi;--" VARCHAR COMMENT 'about semi;--', "sp ace" VARCHAR COMMENT 'about sp ace';

-- widen
ALTER TABLE "D'B"."S""1"."odd""stream;--" ALTER COLUMN "a""b" SET DATA TYPE VARCHAR(20);

-- describe
DESCRIBE TABLE "D'B"."S""1"."odd""stream;--";

-- checkpoint DEAD_LETTERS
INSERT INTO "D'B"."AUDIT"."CHECKPOINTS" ("CHECKPOINT_ID", "KIND", "CUTOFF", "REASON", "AUDIT_TABLE", "TARGET_TABLE", "ROW_COUNT", "FIRST_AT", "LAST_AT", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "AT", "ACTOR", "ACTOR_ROLE") SELECT 'm', 'purge', SYSDATE(), 'r', 'DEAD_LETTERS', r."TARGET_TABLE", COUNT(*), MIN(r."AT"), MAX(r."AT"), NULL, NULL, NULL, SYSDATE(), CURRENT_USER(), CURRENT_ROLE() FROM "D'B"."AUDIT"."DEAD_LETTERS" AS r JOIN (SELECT "DEAD_LETTER_ID", MAX("AT") AS "LAST" FROM "D'B"."AUDIT"."DEAD_LETTER_EVENTS" GROUP BY "DEAD_LETTER_ID") AS n ON TRUE JOIN (SELECT "DEAD_LETTER_ID", "EVENT" FROM "D'B"."AUDIT"."DEAD_LETTER_EVENTS" WHERE "EVENT" <> 'seen_again' QUALIFY ROW_NUMBER() OVER (PARTITION BY "DEAD_LETTER_ID" ORDER BY "AT" DESC, "EVENT_ID" DESC) = 1) AS e ON TRUE WHERE r."DEAD_LETTER_ID" = n."DEAD_LETTER_ID" AND r."DEAD_LETTER_ID" = e."DEAD_LETTER_ID" AND r."AT" < SYSDATE() AND n."LAST" < SYSDATE() AND e."EVENT" IN ('replayed', 'replay_skipped', 'discarded', 'erased') GROUP BY r."TARGET_TABLE";

-- delete DEAD_LETTERS
DELETE FROM "D'B"."AUDIT"."DEAD_LETTERS" AS r USING (SELECT "DEAD_LETTER_ID", MAX("AT") AS "LAST" FROM "D'B"."AUDIT"."DEAD_LETTER_EVENTS" GROUP BY "DEAD_LETTER_ID") AS n, (SELECT "DEAD_LETTER_ID", "EVENT" FROM "D'B"."AUDIT"."DEAD_LETTER_EVENTS" WHERE "EVENT" <> 'seen_again' QUALIFY ROW_NUMBER() OVER (PARTITION BY "DEAD_LETTER_ID" ORDER BY "AT" DESC, "EVENT_ID" DESC) = 1) AS e WHERE r."DEAD_LETTER_ID" = n."DEAD_LETTER_ID" AND r."DEAD_LETTER_ID" = e."DEAD_LETTER_ID" AND r."AT" < SYSDATE() AND n."LAST" < SYSDATE() AND e."EVENT" IN ('replayed', 'replay_skipped', 'discarded', 'erased');

-- checkpoint DEAD_LETTER_EVENTS
INSERT INTO "D'B"."AUDIT"."CHECKPOINTS" ("CHECKPOINT_ID", "KIND", "CUTOFF", "REASON", "AUDIT_TABLE", "OF_CHAIN", "ROW_COUNT", "FIRST_AT", "LAST_AT", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "AT", "ACTOR", "ACTOR_ROLE") SELECT 'm', 'purge', SYSDATE(), 'r', 'DEAD_LETTER_EVENTS', r."CHAIN", COUNT(*), MIN(r."AT"), MAX(r."AT"), MIN(r."CHAIN_NUMBER"), MAX(r."CHAIN_NUMBER"), SUBSTR(MAX(CONCAT(TO_VARCHAR(1000000000000 + r."CHAIN_NUMBER"), ':', r."CHAIN_DIGEST")), 15), SYSDATE(), CURRENT_USER(), CURRENT_ROLE() FROM "D'B"."AUDIT"."DEAD_LETTER_EVENTS" AS r WHERE r."AT" < SYSDATE() AND NOT (r."DEAD_LETTER_ID" IN (SELECT "DEAD_LETTER_ID" FROM "D'B"."AUDIT"."DEAD_LETTERS")) GROUP BY r."CHAIN";

-- delete DEAD_LETTER_EVENTS
DELETE FROM "D'B"."AUDIT"."DEAD_LETTER_EVENTS" AS r WHERE r."AT" < SYSDATE() AND NOT (r."DEAD_LETTER_ID" IN (SELECT "DEAD_LETTER_ID" FROM "D'B"."AUDIT"."DEAD_LETTERS"));

-- checkpoint RECORD_HISTORY
INSERT INTO "D'B"."AUDIT"."CHECKPOINTS" ("CHECKPOINT_ID", "KIND", "CUTOFF", "REASON", "AUDIT_TABLE", "TARGET_TABLE", "ROW_COUNT", "FIRST_AT", "LAST_AT", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "AT", "ACTOR", "ACTOR_ROLE") SELECT 'm', 'purge', SYSDATE(), 'r', 'RECORD_HISTORY', r."TARGET_TABLE", COUNT(*), MIN(r."LOADED_AT"), MAX(r."LOADED_AT"), NULL, NULL, NULL, SYSDATE(), CURRENT_USER(), CURRENT_ROLE() FROM "D'B"."AUDIT"."RECORD_HISTORY" AS r JOIN (SELECT "TARGET_TABLE", "KEY_HASH", MAX("LOADED_AT") AS "LAST" FROM "D'B"."AUDIT"."RECORD_HISTORY" GROUP BY "TARGET_TABLE", "KEY_HASH") AS n ON TRUE WHERE r."TARGET_TABLE" = n."TARGET_TABLE" AND r."KEY_HASH" = n."KEY_HASH" AND r."LOADED_AT" < SYSDATE() AND (r."LOADED_AT" < n."LAST" OR r."OPERATION" = 'delete') GROUP BY r."TARGET_TABLE";

-- delete RECORD_HISTORY
DELETE FROM "D'B"."AUDIT"."RECORD_HISTORY" AS r USING (SELECT "TARGET_TABLE", "KEY_HASH", MAX("LOADED_AT") AS "LAST" FROM "D'B"."AUDIT"."RECORD_HISTORY" GROUP BY "TARGET_TABLE", "KEY_HASH") AS n WHERE r."TARGET_TABLE" = n."TARGET_TABLE" AND r."KEY_HASH" = n."KEY_HASH" AND r."LOADED_AT" < SYSDATE() AND (r."LOADED_AT" < n."LAST" OR r."OPERATION" = 'delete');

-- checkpoint RETRIES
INSERT INTO "D'B"."AUDIT"."CHECKPOINTS" ("CHECKPOINT_ID", "KIND", "CUTOFF", "REASON", "AUDIT_TABLE", "TARGET_TABLE", "OF_CHAIN", "ROW_COUNT", "FIRST_AT", "LAST_AT", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "AT", "ACTOR", "ACTOR_ROLE") SELECT 'm', 'purge', SYSDATE(), 'r', 'RETRIES', r."TARGET_TABLE", r."CHAIN", COUNT(*), MIN(r."AT"), MAX(r."AT"), MIN(r."CHAIN_NUMBER"), MAX(r."CHAIN_NUMBER"), SUBSTR(MAX(CONCAT(TO_VARCHAR(1000000000000 + r."CHAIN_NUMBER"), ':', r."CHAIN_DIGEST")), 15), SYSDATE(), CURRENT_USER(), CURRENT_ROLE() FROM "D'B"."AUDIT"."RETRIES" AS r WHERE r."AT" < SYSDATE() GROUP BY r."TARGET_TABLE", r."CHAIN";

-- delete RETRIES
DELETE FROM "D'B"."AUDIT"."RETRIES" AS r WHERE r."AT" < SYSDATE();

-- checkpoint WATERMARKS
INSERT INTO "D'B"."AUDIT"."CHECKPOINTS" ("CHECKPOINT_ID", "KIND", "CUTOFF", "REASON", "AUDIT_TABLE", "TARGET_TABLE", "ROW_COUNT", "FIRST_AT", "LAST_AT", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "AT", "ACTOR", "ACTOR_ROLE") SELECT 'm', 'purge', SYSDATE(), 'r', 'WATERMARKS', r."TARGET_TABLE", COUNT(*), MIN(r."AT"), MAX(r."AT"), NULL, NULL, NULL, SYSDATE(), CURRENT_USER(), CURRENT_ROLE() FROM "D'B"."AUDIT"."WATERMARKS" AS r JOIN (SELECT "STREAM", "TARGET_TABLE", MAX("AT") AS "LAST" FROM "D'B"."AUDIT"."WATERMARKS" GROUP BY "STREAM", "TARGET_TABLE") AS n ON TRUE WHERE r."STREAM" = n."STREAM" AND r."TARGET_TABLE" = n."TARGET_TABLE" AND r."AT" < SYSDATE() AND r."AT" < n."LAST" GROUP BY r."TARGET_TABLE";

-- delete WATERMARKS
DELETE FROM "D'B"."AUDIT"."WATERMARKS" AS r USING (SELECT "STREAM", "TARGET_TABLE", MAX("AT") AS "LAST" FROM "D'B"."AUDIT"."WATERMARKS" GROUP BY "STREAM", "TARGET_TABLE") AS n WHERE r."STREAM" = n."STREAM" AND r."TARGET_TABLE" = n."TARGET_TABLE" AND r."AT" < SYSDATE() AND r."AT" < n."LAST";

-- checkpoint BATCHES
INSERT INTO "D'B"."AUDIT"."CHECKPOINTS" ("CHECKPOINT_ID", "KIND", "CUTOFF", "REASON", "AUDIT_TABLE", "TARGET_TABLE", "OF_CHAIN", "ROW_COUNT", "FIRST_AT", "LAST_AT", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "AT", "ACTOR", "ACTOR_ROLE") SELECT 'm', 'purge', SYSDATE(), 'r', 'BATCHES', r."TARGET_TABLE", r."CHAIN", COUNT(*), MIN(r."LOADED_AT"), MAX(r."LOADED_AT"), MIN(r."CHAIN_NUMBER"), MAX(r."CHAIN_NUMBER"), SUBSTR(MAX(CONCAT(TO_VARCHAR(1000000000000 + r."CHAIN_NUMBER"), ':', r."CHAIN_DIGEST")), 15), SYSDATE(), CURRENT_USER(), CURRENT_ROLE() FROM "D'B"."AUDIT"."BATCHES" AS r JOIN (SELECT u."TARGET_TABLE", MIN(u."AT") AS "LAST" FROM (SELECT "TARGET_TABLE", MAX("LOADED_AT") AS "AT" FROM "D'B"."AUDIT"."BATCHES" GROUP BY "TARGET_TABLE" UNION ALL SELECT "TARGET_TABLE", MAX("LOADED_AT") AS "AT" FROM "D'B"."AUDIT"."BATCHES" WHERE "OPERATION" = 'activate_version' GROUP BY "TARGET_TABLE", "STREAM" UNION ALL SELECT "TARGET_TABLE", MAX("LOADED_AT") AS "AT" FROM "D'B"."AUDIT"."BATCHES" WHERE "INSERTED" > 0 AND "TARGET_TABLE" IN (SELECT "TARGET_TABLE" FROM "D'B"."AUDIT"."BATCHES" GROUP BY "TARGET_TABLE" HAVING COUNT(DISTINCT "STREAM") > 1) GROUP BY "TARGET_TABLE", "STREAM" UNION ALL SELECT d."TARGET_TABLE", MIN(d."AT") AS "AT" FROM "D'B"."AUDIT"."DEAD_LETTERS" AS d LEFT JOIN (SELECT "DEAD_LETTER_ID", "EVENT" FROM "D'B"."AUDIT"."DEAD_LETTER_EVENTS" WHERE "EVENT" <> 'seen_again' QUALIFY ROW_NUMBER() OVER (PARTITION BY "DEAD_LETTER_ID" ORDER BY "AT" DESC, "EVENT_ID" DESC) = 1) AS e ON e."DEAD_LETTER_ID" = d."DEAD_LETTER_ID" WHERE e."EVENT" IS NULL OR e."EVENT" NOT IN ('replayed', 'replay_skipped', 'discarded', 'erased') GROUP BY d."TARGET_TABLE") AS u GROUP BY u."TARGET_TABLE") AS n ON TRUE WHERE r."TARGET_TABLE" = n."TARGET_TABLE" AND r."LOADED_AT" < SYSDATE() AND r."LOADED_AT" < n."LAST" GROUP BY r."TARGET_TABLE", r."CHAIN";

-- delete BATCHES
DELETE FROM "D'B"."AUDIT"."BATCHES" AS r USING (SELECT u."TARGET_TABLE", MIN(u."AT") AS "LAST" FROM (SELECT "TARGET_TABLE", MAX("LOADED_AT") AS "AT" FROM "D'B"."AUDIT"."BATCHES" GROUP BY "TARGET_TABLE" UNION ALL SELECT "TARGET_TABLE", MAX("LOADED_AT") AS "AT" FROM "D'B"."AUDIT"."BATCHES" WHERE "OPERATION" = 'activate_version' GROUP BY "TARGET_TABLE", "STREAM" UNION ALL SELECT "TARGET_TABLE", MAX("LOADED_AT") AS "AT" FROM "D'B"."AUDIT"."BATCHES" WHERE "INSERTED" > 0 AND "TARGET_TABLE" IN (SELECT "TARGET_TABLE" FROM "D'B"."AUDIT"."BATCHES" GROUP BY "TARGET_TABLE" HAVING COUNT(DISTINCT "STREAM") > 1) GROUP BY "TARGET_TABLE", "STREAM" UNION ALL SELECT d."TARGET_TABLE", MIN(d."AT") AS "AT" FROM "D'B"."AUDIT"."DEAD_LETTERS" AS d LEFT JOIN (SELECT "DEAD_LETTER_ID", "EVENT" FROM "D'B"."AUDIT"."DEAD_LETTER_EVENTS" WHERE "EVENT" <> 'seen_again' QUALIFY ROW_NUMBER() OVER (PARTITION BY "DEAD_LETTER_ID" ORDER BY "AT" DESC, "EVENT_ID" DESC) = 1) AS e ON e."DEAD_LETTER_ID" = d."DEAD_LETTER_ID" WHERE e."EVENT" IS NULL OR e."EVENT" NOT IN ('replayed', 'replay_skipped', 'discarded', 'erased') GROUP BY d."TARGET_TABLE") AS u GROUP BY u."TARGET_TABLE") AS n WHERE r."TARGET_TABLE" = n."TARGET_TABLE" AND r."LOADED_AT" < SYSDATE() AND r."LOADED_AT" < n."LAST";

-- checkpoint RUNS
INSERT INTO "D'B"."AUDIT"."CHECKPOINTS" ("CHECKPOINT_ID", "KIND", "CUTOFF", "REASON", "AUDIT_TABLE", "OF_CHAIN", "ROW_COUNT", "FIRST_AT", "LAST_AT", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "AT", "ACTOR", "ACTOR_ROLE") SELECT 'm', 'purge', SYSDATE(), 'r', 'RUNS', r."CHAIN", COUNT(*), MIN(r."AT"), MAX(r."AT"), MIN(r."CHAIN_NUMBER"), MAX(r."CHAIN_NUMBER"), SUBSTR(MAX(CONCAT(TO_VARCHAR(1000000000000 + r."CHAIN_NUMBER"), ':', r."CHAIN_DIGEST")), 15), SYSDATE(), CURRENT_USER(), CURRENT_ROLE() FROM "D'B"."AUDIT"."RUNS" AS r JOIN (SELECT "RUN_ID", MAX("AT") AS "LAST" FROM "D'B"."AUDIT"."RUNS" GROUP BY "RUN_ID") AS n ON TRUE WHERE r."RUN_ID" = n."RUN_ID" AND n."LAST" < SYSDATE() AND n."LAST" < (SELECT MAX("AT") FROM "D'B"."AUDIT"."RUNS") AND NOT (r."RUN_ID" IN (SELECT "RUN_ID" FROM "D'B"."AUDIT"."BATCHES")) GROUP BY r."CHAIN";

-- delete RUNS
DELETE FROM "D'B"."AUDIT"."RUNS" AS r USING (SELECT "RUN_ID", MAX("AT") AS "LAST" FROM "D'B"."AUDIT"."RUNS" GROUP BY "RUN_ID") AS n WHERE r."RUN_ID" = n."RUN_ID" AND n."LAST" < SYSDATE() AND n."LAST" < (SELECT MAX("AT") FROM "D'B"."AUDIT"."RUNS") AND NOT (r."RUN_ID" IN (SELECT "RUN_ID" FROM "D'B"."AUDIT"."BATCHES"));

-- erase history
UPDATE "D'B"."AUDIT"."RECORD_HISTORY" AS r SET "KEY" = NULL, "BEFORE" = NULL, "AFTER" = NULL, "ERASURE_ID" = 'm''' WHERE r."TARGET_TABLE" = 'D''B.T' AND r."ERASURE_ID" IS NULL AND ((r."KEY_HASH" IN ('a''b')) OR (r."KEY":"quote""inside"::VARCHAR = 'quote"inside' AND r."KEY":"semi;--"::VARCHAR = 'semi;--' AND r."KEY":"dollar$$"::VARCHAR = 'dollar$$' AND r."KEY":"sp ace"::VARCHAR = 'sp ace' AND r."KEY":"emoji 🙂"::VARCHAR = 'emoji 🙂' AND r."KEY":"select"::VARCHAR = 'select' AND r."KEY":"'apostrophe'"::VARCHAR = '''apostrophe'''));

-- erase letter
UPDATE "D'B"."AUDIT"."DEAD_LETTERS" AS r SET "KEY" = NULL, "RECORD" = NULL, "RECORD_TEXT" = '', "ERRORS" = PARSE_JSON('[]'), "ERASURE_ID" = 'm''' WHERE r."DEAD_LETTER_ID" = 'l''' AND r."ERASURE_ID" IS NULL;

-- erase events
UPDATE "D'B"."AUDIT"."DEAD_LETTER_EVENTS" AS r SET "PATCH" = NULL, "ERRORS" = NULL, "ERASURE_ID" = 'm''' WHERE r."DEAD_LETTER_ID" IN ('l''') AND r."ERASURE_ID" IS NULL;

-- letters to erase
SELECT r."DEAD_LETTER_ID", r."ERRORS" FROM "D'B"."AUDIT"."DEAD_LETTERS" AS r WHERE r."TARGET_TABLE" = 'D''B.T' AND r."ERASURE_ID" IS NULL AND ((r."KEY_HASH" IN ('a''b')) OR (r."KEY":"quote""inside"::VARCHAR = 'quote"inside' AND r."KEY":"semi;--"::VARCHAR = 'semi;--' AND r."KEY":"dollar$$"::VARCHAR = 'dollar$$' AND r."KEY":"sp ace"::VARCHAR = 'sp ace' AND r."KEY":"emoji 🙂"::VARCHAR = 'emoji 🙂' AND r."KEY":"select"::VARCHAR = 'select' AND r."KEY":"'apostrophe'"::VARCHAR = '''apostrophe''') OR (r."DEAD_LETTER_ID" IN ('l''')));

-- counted
SELECT "AUDIT_TABLE", "TARGET_TABLE", SUM("ROW_COUNT"), MIN("FIRST_AT"), MAX("LAST_AT") FROM "D'B"."AUDIT"."CHECKPOINTS" WHERE "CHECKPOINT_ID" = 'm' GROUP BY "AUDIT_TABLE", "TARGET_TABLE" ORDER BY "AUDIT_TABLE", "TARGET_TABLE";

-- insert RUNS
INSERT INTO "D"."AUDIT"."RUNS" ("RUN_ID", "EVENT", "STATUS", "PROGRAM", "PROGRAM_VERSION", "SDK_VERSION", "CONNECTOR_VERSION", "CONFIG_SHA256", "MAPPING_SHA256", "MELTANO_ENVIRONMENT", "MELTANO_RUN_ID", "MELTANO_STATE_ID", "SESSION_ID", "RECORDS", "DEAD_LETTERS", "BATCHES", "STREAMS", "STATEMENT_MS", "ERROR", "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST", "ACTOR", "ACTOR_ROLE", "AT") SELECT '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', 1, 1, 1, PARSE_JSON('"1"'), 1, '1', '1', 1, '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE() UNION ALL SELECT '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', 1, 1, 1, PARSE_JSON('"1"'), 1, '1', '1', 1, '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE();

-- insert BATCHES
INSERT INTO "D"."AUDIT"."BATCHES" ("BATCH_ID", "RUN_ID", "OPERATION", "STREAM", "TARGET_TABLE", "BATCH_NUMBER", "RECEIVED", "INSERTED", "UPDATED", "UNCHANGED", "DEDUPLICATED", "DELETED", "DEAD", "STALE", "REMOVED", "LOAD_METHOD", "CONTENT_SHA256", "SCHEMA_SHA256", "FILE_BYTES", "SOURCE_FROM", "SOURCE_TO", "EXTRACTED_FROM", "EXTRACTED_TO", "STARTED_AT", "LOADED_AT", "ATTEMPT", "QUERY_IDS", "STEP_MS", "NOTE", "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST", "ACTOR", "ACTOR_ROLE") SELECT '1', '1', '1', '1', '1', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, '1', '1', '1', 1, CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), 1, PARSE_JSON('"1"'), PARSE_JSON('"1"'), '1', '1', 1, '1', '1', CURRENT_USER(), CURRENT_ROLE() UNION ALL SELECT '1', '1', '1', '1', '1', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, '1', '1', '1', 1, CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), 1, PARSE_JSON('"1"'), PARSE_JSON('"1"'), '1', '1', 1, '1', '1', CURRENT_USER(), CURRENT_ROLE();

-- insert RETRIES
INSERT INTO "D"."AUDIT"."RETRIES" ("RUN_ID", "BATCH_ID", "STREAM", "TARGET_TABLE", "ATTEMPT", "STEP", "ERROR_CLASS", "ERRNO", "SQLSTATE", "QUERY_ID", "MESSAGE", "WAIT_MS", "OUTCOME", "FAILED_AT", "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST", "ACTOR", "ACTOR_ROLE", "AT") SELECT '1', '1', '1', '1', 1, '1', '1', 1, '1', '1', '1', 1, '1', CAST('1' AS TIMESTAMP_NTZ(9)), '1', 1, '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE() UNION ALL SELECT '1', '1', '1', '1', 1, '1', '1', 1, '1', '1', '1', 1, '1', CAST('1' AS TIMESTAMP_NTZ(9)), '1', 1, '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE();

-- insert RECORD_HISTORY
INSERT INTO "D"."AUDIT"."RECORD_HISTORY" ("TARGET_TABLE", "STREAM", "KEY", "KEY_HASH", "OPERATION", "CAUSE", "BEFORE", "AFTER", "CHANGED_COLUMNS", "ROW_HASH_BEFORE", "ROW_HASH", "SOURCE_TIME", "EXTRACTED_AT", "LOADED_AT", "RUN_ID", "BATCH_ID", "SEQ", "ROW_DIGEST", "ERASURE_ID") SELECT '1', '1', PARSE_JSON('"1"'), '1', '1', '1', PARSE_JSON('"1"'), PARSE_JSON('"1"'), PARSE_JSON('"1"'), '1', '1', CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), '1', '1', 1, '1', '1' UNION ALL SELECT '1', '1', PARSE_JSON('"1"'), '1', '1', '1', PARSE_JSON('"1"'), PARSE_JSON('"1"'), PARSE_JSON('"1"'), '1', '1', CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), '1', '1', 1, '1', '1';

-- insert DEAD_LETTERS
INSERT INTO "D"."AUDIT"."DEAD_LETTERS" ("DEAD_LETTER_ID", "RUN_ID", "BATCH_ID", "STREAM", "TARGET_TABLE", "KEY", "KEY_HASH", "PHASE", "REASON", "ERRORS", "RECORD", "RECORD_TEXT", "RECORD_SHA256", "SINGER_SCHEMA", "SCHEMA_SHA256", "ERRNO", "SQLSTATE", "QUERY_ID", "SOURCE_TIME", "EXTRACTED_AT", "SEQ", "ROW_DIGEST", "REDACTED", "ERASURE_ID", "AT") SELECT '1', '1', '1', '1', '1', PARSE_JSON('"1"'), '1', '1', '1', PARSE_JSON('"1"'), PARSE_JSON('"1"'), '1', '1', PARSE_JSON('"1"'), '1', 1, '1', '1', CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), 1, '1', PARSE_JSON('"1"'), '1', SYSDATE() UNION ALL SELECT '1', '1', '1', '1', '1', PARSE_JSON('"1"'), '1', '1', '1', PARSE_JSON('"1"'), PARSE_JSON('"1"'), '1', '1', PARSE_JSON('"1"'), '1', 1, '1', '1', CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), 1, '1', PARSE_JSON('"1"'), '1', SYSDATE();

-- insert DEAD_LETTER_EVENTS
INSERT INTO "D"."AUDIT"."DEAD_LETTER_EVENTS" ("EVENT_ID", "DEAD_LETTER_ID", "EVENT", "NOTE", "PATCH", "ERRORS", "RETRY_AT", "RUN_ID", "BATCH_ID", "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST", "ERASURE_ID", "ACTOR", "ACTOR_ROLE", "AT") SELECT '1', '1', '1', '1', PARSE_JSON('"1"'), PARSE_JSON('"1"'), CAST('1' AS TIMESTAMP_NTZ(9)), '1', '1', '1', 1, '1', '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE() UNION ALL SELECT '1', '1', '1', '1', PARSE_JSON('"1"'), PARSE_JSON('"1"'), CAST('1' AS TIMESTAMP_NTZ(9)), '1', '1', '1', 1, '1', '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE();

-- insert SCHEMA_CHANGES
INSERT INTO "D"."AUDIT"."SCHEMA_CHANGES" ("RUN_ID", "STREAM", "TARGET_TABLE", "CHANGE", "COLUMN_NAME", "TYPE_BEFORE", "TYPE_AFTER", "CAUSE", "STATEMENT", "QUERY_ID", "CHANGED_AT", "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST", "ACTOR", "ACTOR_ROLE", "AT") SELECT '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', CAST('1' AS TIMESTAMP_NTZ(9)), '1', 1, '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE() UNION ALL SELECT '1', '1', '1', '1', '1', '1', '1', '1', '1', '1', CAST('1' AS TIMESTAMP_NTZ(9)), '1', 1, '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE();

-- insert WATERMARKS
INSERT INTO "D"."AUDIT"."WATERMARKS" ("STREAM", "TARGET_TABLE", "RUN_ID", "BATCH_ID", "REPLICATION_KEY", "HIGHEST_VALUE", "BOOKMARK", "AT") SELECT '1', '1', '1', '1', '1', '1', PARSE_JSON('"1"'), SYSDATE() UNION ALL SELECT '1', '1', '1', '1', '1', '1', PARSE_JSON('"1"'), SYSDATE();

-- insert CHECKPOINTS
INSERT INTO "D"."AUDIT"."CHECKPOINTS" ("CHECKPOINT_ID", "KIND", "AUDIT_TABLE", "TARGET_TABLE", "OF_CHAIN", "ROW_COUNT", "FIRST_AT", "LAST_AT", "FIRST_NUMBER", "LAST_NUMBER", "LAST_DIGEST", "CUTOFF", "KEY_HASH", "REASON", "ACTOR", "ACTOR_ROLE", "AT") SELECT '1', '1', '1', '1', '1', 1, CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), 1, 1, '1', CAST('1' AS TIMESTAMP_NTZ(9)), '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE() UNION ALL SELECT '1', '1', '1', '1', '1', 1, CAST('1' AS TIMESTAMP_NTZ(9)), CAST('1' AS TIMESTAMP_NTZ(9)), 1, 1, '1', CAST('1' AS TIMESTAMP_NTZ(9)), '1', '1', CURRENT_USER(), CURRENT_ROLE(), SYSDATE();

-- setup 0
CREATE ROLE IF NOT EXISTS "SAGEX3_OWNER" COMMENT = 'Owns the audit schema and its tables; nobody works with it day by day';

-- setup 1
GRANT ROLE "SAGEX3_OWNER" TO ROLE SYSADMIN;

-- setup 2
CREATE ROLE IF NOT EXISTS "SAGEX3_LOADER" COMMENT = 'Loads data; may only insert into and read the audit schema';

-- setup 3
GRANT ROLE "SAGEX3_LOADER" TO ROLE SYSADMIN;

-- setup 4
CREATE ROLE IF NOT EXISTS "SAGEX3_REVIEWER" COMMENT = 'Reviews dead letters; may read the audit schema and insert events';

-- setup 5
GRANT ROLE "SAGEX3_REVIEWER" TO ROLE SYSADMIN;

-- setup 6
CREATE ROLE IF NOT EXISTS "SAGEX3_APPROVER" COMMENT = 'Approves what reviewers did; may read the audit schema and insert events';

-- setup 7
GRANT ROLE "SAGEX3_APPROVER" TO ROLE SYSADMIN;

-- setup 8
CREATE ROLE IF NOT EXISTS "SAGEX3_AUDITOR" COMMENT = 'Reads the audit schema';

-- setup 9
GRANT ROLE "SAGEX3_AUDITOR" TO ROLE SYSADMIN;

-- setup 10
CREATE ROLE IF NOT EXISTS "SAGEX3_PURGER" COMMENT = 'Deletes by retention and erases by request; each leaves a row in CHECKPOINTS';

-- setup 11
GRANT ROLE "SAGEX3_PURGER" TO ROLE SYSADMIN;

-- setup 12
GRANT ROLE "SAGEX3_LOADER" TO USER "LOADER";

-- setup 13
CREATE WAREHOUSE IF NOT EXISTS "LOAD_WH" WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;

-- setup 14
CREATE DATABASE IF NOT EXISTS "ANALYTICS";

-- setup 15
CREATE SCHEMA IF NOT EXISTS "ANALYTICS"."AUDIT";

-- setup 16
CREATE SCHEMA IF NOT EXISTS "ANALYTICS"."AUDIT_LOCK";

-- setup 17
CREATE STAGE IF NOT EXISTS "ANALYTICS"."AUDIT_LOCK"."LOAD" COMMENT = 'Batch files of target-snowflake-audit';

-- setup 18
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."RUNS" (
  "RUN_ID" VARCHAR NOT NULL COMMENT 'Identifier of the run, made by the target at its start',
  "EVENT" VARCHAR NOT NULL COMMENT 'started or ended',
  "STATUS" VARCHAR NOT NULL COMMENT 'running, completed, failed or interrupted',
  "AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the row was written',
  "PROGRAM" VARCHAR COMMENT 'target-snowflake-audit or snowflake-audit',
  "PROGRAM_VERSION" VARCHAR COMMENT 'Version of the program',
  "SDK_VERSION" VARCHAR COMMENT 'Version of singer-sdk',
  "CONNECTOR_VERSION" VARCHAR COMMENT 'Version of snowflake-connector-python',
  "CONFIG_SHA256" VARCHAR COMMENT 'Digest of the settings without secrets',
  "MAPPING_SHA256" VARCHAR COMMENT 'Digest of stream_maps, schema_mapping and column_types',
  "MELTANO_ENVIRONMENT" VARCHAR COMMENT 'Meltano''s environment, if it started the run',
  "MELTANO_RUN_ID" VARCHAR COMMENT 'Meltano''s run id, if it started the run',
  "MELTANO_STATE_ID" VARCHAR COMMENT 'Meltano''s state id, if known',
  "SESSION_ID" VARCHAR COMMENT 'Snowflake session that wrote the row',
  "RECORDS" NUMBER(38,0) COMMENT 'Records received in the run (ended rows)',
  "DEAD_LETTERS" NUMBER(38,0) COMMENT 'Records of them that became dead letters (ended rows)',
  "BATCHES" NUMBER(38,0) COMMENT 'Batches committed (ended rows)',
  "STREAMS" VARIANT COMMENT 'Counts by stream (ended rows)',
  "STATEMENT_MS" NUMBER(38,0) COMMENT 'Time spent in statements that need a warehouse, milliseconds (ended rows)',
  "ERROR" VARCHAR COMMENT 'Why the run failed or was interrupted',
  "ACTOR" VARCHAR NOT NULL COMMENT 'CURRENT_USER() of the session that wrote the row',
  "ACTOR_ROLE" VARCHAR NOT NULL COMMENT 'CURRENT_ROLE() of the session that wrote the row',
  "CHAIN" VARCHAR COMMENT 'Chain this row belongs to: a target table''s name, or run:RUN_ID; null = not chained',
  "CHAIN_NUMBER" NUMBER(38,0) COMMENT 'Place in the chain, from 1',
  "CHAIN_PREVIOUS" VARCHAR COMMENT 'Digest of the row before it in the chain',
  "CHAIN_DIGEST" VARCHAR COMMENT 'Digest over this row and the one before it'
)
COMMENT = 'One row when a run starts to load and one when it ends; RUNS_CURRENT shows the latest of each run.';

-- setup 19
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."BATCHES" (
  "BATCH_ID" VARCHAR NOT NULL COMMENT 'Digest of run, table, number and content',
  "RUN_ID" VARCHAR NOT NULL COMMENT 'Run that wrote it',
  "OPERATION" VARCHAR NOT NULL COMMENT 'load, replay, activate_version; gather and overwrite of load method overwrite',
  "STREAM" VARCHAR NOT NULL COMMENT 'Singer stream',
  "TARGET_TABLE" VARCHAR NOT NULL COMMENT 'Full name of the table',
  "BATCH_NUMBER" NUMBER(38,0) NOT NULL COMMENT 'Number of the batch in the run, from 1',
  "RECEIVED" NUMBER(38,0) NOT NULL COMMENT 'Records received',
  "INSERTED" NUMBER(38,0) NOT NULL COMMENT 'Rows that are new',
  "UPDATED" NUMBER(38,0) NOT NULL COMMENT 'Rows that changed, or came back after a soft delete',
  "UNCHANGED" NUMBER(38,0) NOT NULL COMMENT 'Records equal to the stored row, or re-deliveries of an older one',
  "DEDUPLICATED" NUMBER(38,0) NOT NULL COMMENT 'Records superseded by another of the same key in the batch',
  "DELETED" NUMBER(38,0) NOT NULL COMMENT 'Records that said the row is deleted',
  "DEAD" NUMBER(38,0) NOT NULL COMMENT 'Records that became dead letters',
  "STALE" NUMBER(38,0) NOT NULL COMMENT 'Dead letters of them that are older than the stored row',
  "REMOVED" NUMBER(38,0) NOT NULL COMMENT 'Rows deleted because the source no longer has them (no record came)',
  "LOAD_METHOD" VARCHAR COMMENT 'upsert, append-only or overwrite',
  "CONTENT_SHA256" VARCHAR COMMENT 'Digest of the staged content before compression',
  "SCHEMA_SHA256" VARCHAR COMMENT 'Digest of the Singer schema',
  "FILE_BYTES" NUMBER(38,0) COMMENT 'Size of the staged file, compressed',
  "SOURCE_FROM" TIMESTAMP_NTZ(9) COMMENT 'Lowest source stamp in the batch (UTC, source clock)',
  "SOURCE_TO" TIMESTAMP_NTZ(9) COMMENT 'Highest source stamp in the batch (UTC, source clock)',
  "EXTRACTED_FROM" TIMESTAMP_NTZ(9) COMMENT 'Earliest time_extracted (UTC, the tap''s clock)',
  "EXTRACTED_TO" TIMESTAMP_NTZ(9) COMMENT 'Latest time_extracted (UTC, the tap''s clock)',
  "STARTED_AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the transaction began',
  "LOADED_AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When this row was written',
  "ATTEMPT" NUMBER(38,0) NOT NULL COMMENT 'Which attempt succeeded, from 1',
  "QUERY_IDS" VARIANT COMMENT 'Snowflake query id of each statement, by step',
  "STEP_MS" VARIANT COMMENT 'Milliseconds of each statement as the client saw it, by step',
  "NOTE" VARCHAR COMMENT 'What else a reader should know',
  "ACTOR" VARCHAR NOT NULL COMMENT 'CURRENT_USER() of the session that wrote the row',
  "ACTOR_ROLE" VARCHAR NOT NULL COMMENT 'CURRENT_ROLE() of the session that wrote the row',
  "CHAIN" VARCHAR COMMENT 'Chain this row belongs to: a target table''s name, or run:RUN_ID; null = not chained',
  "CHAIN_NUMBER" NUMBER(38,0) COMMENT 'Place in the chain, from 1',
  "CHAIN_PREVIOUS" VARCHAR COMMENT 'Digest of the row before it in the chain',
  "CHAIN_DIGEST" VARCHAR COMMENT 'Digest over this row and the one before it'
)
COMMENT = 'One row a committed batch, written in the batch''s own transaction. RECEIVED = INSERTED + UPDATED + UNCHANGED + DEDUPLICATED + DELETED + DEAD.';

-- setup 20
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."RETRIES" (
  "RUN_ID" VARCHAR NOT NULL COMMENT 'Run',
  "BATCH_ID" VARCHAR COMMENT 'Batch that was tried; null for a login',
  "STREAM" VARCHAR COMMENT 'Singer stream',
  "TARGET_TABLE" VARCHAR COMMENT 'Full name of the table',
  "ATTEMPT" NUMBER(38,0) NOT NULL COMMENT 'Attempt that failed, from 1',
  "STEP" VARCHAR NOT NULL COMMENT 'Step that failed: connect, put, begin, fence, copy, merge, commit ...',
  "ERROR_CLASS" VARCHAR NOT NULL COMMENT 'network, stage, internal, contention, session, data, ...',
  "ERRNO" NUMBER(38,0) COMMENT 'Snowflake''s error number',
  "SQLSTATE" VARCHAR COMMENT 'SQLSTATE',
  "QUERY_ID" VARCHAR COMMENT 'Snowflake''s query id',
  "MESSAGE" VARCHAR COMMENT 'Snowflake''s message, without record values',
  "WAIT_MS" NUMBER(38,0) COMMENT 'How long was waited before the next attempt, milliseconds',
  "OUTCOME" VARCHAR NOT NULL COMMENT 'retried, already_committed, split or gave_up',
  "FAILED_AT" TIMESTAMP_NTZ(9) COMMENT 'When it failed (UTC, the target''s clock)',
  "AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the row was written',
  "ACTOR" VARCHAR NOT NULL COMMENT 'CURRENT_USER() of the session that wrote the row',
  "ACTOR_ROLE" VARCHAR NOT NULL COMMENT 'CURRENT_ROLE() of the session that wrote the row',
  "CHAIN" VARCHAR COMMENT 'Chain this row belongs to: a target table''s name, or run:RUN_ID; null = not chained',
  "CHAIN_NUMBER" NUMBER(38,0) COMMENT 'Place in the chain, from 1',
  "CHAIN_PREVIOUS" VARCHAR COMMENT 'Digest of the row before it in the chain',
  "CHAIN_DIGEST" VARCHAR COMMENT 'Digest over this row and the one before it'
)
COMMENT = 'One row a failed attempt, whether it was tried again or not.';

-- setup 21
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."RECORD_HISTORY" (
  "TARGET_TABLE" VARCHAR NOT NULL COMMENT 'Full name of the table',
  "STREAM" VARCHAR NOT NULL COMMENT 'Singer stream',
  "KEY" VARIANT COMMENT 'Key columns and their values',
  "KEY_HASH" VARCHAR NOT NULL COMMENT 'Digest of the key, to look a record up by',
  "OPERATION" VARCHAR NOT NULL COMMENT 'insert, update, delete or replay',
  "CAUSE" VARCHAR NOT NULL COMMENT 'record, replace_scope, activate_version, overwrite or replay',
  "BEFORE" VARIANT COMMENT 'The row before; null for an insert',
  "AFTER" VARIANT COMMENT 'The row after; null for a delete',
  "CHANGED_COLUMNS" VARIANT COMMENT 'Columns whose values differ, of an update; [] = it was deleted and came back',
  "ROW_HASH_BEFORE" VARCHAR COMMENT 'Digest of the values before',
  "ROW_HASH" VARCHAR COMMENT 'Digest of the values after',
  "SOURCE_TIME" TIMESTAMP_NTZ(9) COMMENT 'Source stamp of the record (UTC, source clock)',
  "EXTRACTED_AT" TIMESTAMP_NTZ(9) COMMENT 'time_extracted of the record (UTC, the tap''s clock)',
  "LOADED_AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the row was written',
  "RUN_ID" VARCHAR NOT NULL COMMENT 'Run',
  "BATCH_ID" VARCHAR NOT NULL COMMENT 'Batch',
  "SEQ" NUMBER(38,0) COMMENT 'Arrival number of the record in its run',
  "ROW_DIGEST" VARCHAR COMMENT 'Digest of this history row, for the chain',
  "ERASURE_ID" VARCHAR COMMENT 'Set when `erase` blanked the payload: CHECKPOINT_ID of the row in CHECKPOINTS that says who and why'
)
CLUSTER BY (TO_DATE(LOADED_AT), TARGET_TABLE)
COMMENT = 'One row a version of a record, written in the transaction that wrote the record.';

-- setup 22
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."DEAD_LETTERS" (
  "DEAD_LETTER_ID" VARCHAR NOT NULL COMMENT 'Digest of stream, record and reasons: the same when sent again',
  "RUN_ID" VARCHAR NOT NULL COMMENT 'Run that refused it',
  "BATCH_ID" VARCHAR NOT NULL COMMENT 'Batch that refused it',
  "STREAM" VARCHAR NOT NULL COMMENT 'Singer stream',
  "TARGET_TABLE" VARCHAR NOT NULL COMMENT 'Full name of the table',
  "KEY" VARIANT COMMENT 'Key columns and their values as received',
  "KEY_HASH" VARCHAR COMMENT 'Digest of the key; null when the key itself is bad',
  "PHASE" VARCHAR NOT NULL COMMENT 'validate, split, load or merge: which net caught it',
  "REASON" VARCHAR NOT NULL COMMENT 'First reason code',
  "ERRORS" VARIANT NOT NULL COMMENT 'Every bad column: [{column, property, value, reason, expected}]',
  "RECORD" VARIANT COMMENT 'The record as received, for queries; null when it is not JSON',
  "RECORD_TEXT" VARCHAR(134217728) NOT NULL COMMENT 'The record as received, as text: this form is exact, but for values named in REDACTED',
  "RECORD_SHA256" VARCHAR NOT NULL COMMENT 'Digest of the record''s text as received',
  "SINGER_SCHEMA" VARIANT COMMENT 'SCHEMA message of the stream without its type: {schema, key_properties, ...}',
  "SCHEMA_SHA256" VARCHAR COMMENT 'Digest of the Singer schema',
  "ERRNO" NUMBER(38,0) COMMENT 'Snowflake''s error number, when Snowflake refused it',
  "SQLSTATE" VARCHAR COMMENT 'SQLSTATE, when Snowflake refused it',
  "QUERY_ID" VARCHAR COMMENT 'Query id of the statement that refused it',
  "SOURCE_TIME" TIMESTAMP_NTZ(9) COMMENT 'Source stamp of the record, when it could be read (UTC, source clock)',
  "EXTRACTED_AT" TIMESTAMP_NTZ(9) COMMENT 'time_extracted of the record (UTC, the tap''s clock)',
  "SEQ" NUMBER(38,0) COMMENT 'Arrival number of the record in its run',
  "AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the row was written',
  "ROW_DIGEST" VARCHAR COMMENT 'Digest of this row, for the chain',
  "REDACTED" VARIANT COMMENT 'Properties whose values `redact_columns` replaced: {property: hash|mask|drop}; null = none',
  "ERASURE_ID" VARCHAR COMMENT 'Set when `erase` blanked the payload: CHECKPOINT_ID of the row in CHECKPOINTS that says who and why'
)
COMMENT = 'One row a refused record, as received. DEAD_LETTERS_CURRENT adds what became of it.';

-- setup 23
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" (
  "EVENT_ID" VARCHAR NOT NULL COMMENT 'Identifier of the event',
  "DEAD_LETTER_ID" VARCHAR NOT NULL COMMENT 'Letter',
  "EVENT" VARCHAR NOT NULL COMMENT 'reviewed, edited, approved, discarded, retry_scheduled, replayed, replay_failed, replay_skipped, erased, refused_again (open again), seen_again (sent again; the status stays)',
  "NOTE" VARCHAR COMMENT 'What the person, or the replay, said about it',
  "PATCH" VARIANT COMMENT 'Edited values: {property: value}',
  "ERRORS" VARIANT COMMENT 'Reasons of a failed replay, as in DEAD_LETTERS',
  "RETRY_AT" TIMESTAMP_NTZ(9) COMMENT 'When the next automatic retry is due',
  "RUN_ID" VARCHAR COMMENT 'Run of the replay',
  "BATCH_ID" VARCHAR COMMENT 'Batch of the replay',
  "AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the row was written',
  "ACTOR" VARCHAR NOT NULL COMMENT 'CURRENT_USER() of the session that wrote the row',
  "ACTOR_ROLE" VARCHAR NOT NULL COMMENT 'CURRENT_ROLE() of the session that wrote the row',
  "CHAIN" VARCHAR COMMENT 'Chain this row belongs to: a target table''s name, or run:RUN_ID; null = not chained',
  "CHAIN_NUMBER" NUMBER(38,0) COMMENT 'Place in the chain, from 1',
  "CHAIN_PREVIOUS" VARCHAR COMMENT 'Digest of the row before it in the chain',
  "CHAIN_DIGEST" VARCHAR COMMENT 'Digest over this row and the one before it',
  "ERASURE_ID" VARCHAR COMMENT 'Set when `erase` blanked the payload: CHECKPOINT_ID of the row in CHECKPOINTS that says who and why'
)
COMMENT = 'What people and replays did with dead letters.';

-- setup 24
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."SCHEMA_CHANGES" (
  "RUN_ID" VARCHAR NOT NULL COMMENT 'Run',
  "STREAM" VARCHAR NOT NULL COMMENT 'Singer stream',
  "TARGET_TABLE" VARCHAR NOT NULL COMMENT 'Full name of the table',
  "CHANGE" VARCHAR NOT NULL COMMENT 'create_schema, create_table, add_column, widen_column, drop_not_null, comment_column',
  "COLUMN_NAME" VARCHAR COMMENT 'Column; null for a whole table',
  "TYPE_BEFORE" VARCHAR COMMENT 'Type before',
  "TYPE_AFTER" VARCHAR COMMENT 'Type after',
  "CAUSE" VARCHAR NOT NULL COMMENT 'Why: what the SCHEMA message or the settings said',
  "STATEMENT" VARCHAR NOT NULL COMMENT 'SQL that was run',
  "QUERY_ID" VARCHAR COMMENT 'Snowflake''s query id',
  "CHANGED_AT" TIMESTAMP_NTZ(9) COMMENT 'When it was run (UTC, the target''s clock)',
  "AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the row was written',
  "ACTOR" VARCHAR NOT NULL COMMENT 'CURRENT_USER() of the session that wrote the row',
  "ACTOR_ROLE" VARCHAR NOT NULL COMMENT 'CURRENT_ROLE() of the session that wrote the row',
  "CHAIN" VARCHAR COMMENT 'Chain this row belongs to: a target table''s name, or run:RUN_ID; null = not chained',
  "CHAIN_NUMBER" NUMBER(38,0) COMMENT 'Place in the chain, from 1',
  "CHAIN_PREVIOUS" VARCHAR COMMENT 'Digest of the row before it in the chain',
  "CHAIN_DIGEST" VARCHAR COMMENT 'Digest over this row and the one before it'
)
COMMENT = 'One row a change the target made to a table''s definition.';

-- setup 25
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."WATERMARKS" (
  "STREAM" VARCHAR NOT NULL COMMENT 'Singer stream',
  "TARGET_TABLE" VARCHAR NOT NULL COMMENT 'Full name of the table',
  "RUN_ID" VARCHAR NOT NULL COMMENT 'Run',
  "BATCH_ID" VARCHAR NOT NULL COMMENT 'Batch',
  "REPLICATION_KEY" VARCHAR COMMENT 'Property that orders the stream; null = none',
  "HIGHEST_VALUE" VARCHAR COMMENT 'Highest replication value committed up to this batch in the run',
  "BOOKMARK" VARIANT COMMENT 'The stream''s bookmark in the last STATE at or before the batch''s last record',
  "AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the row was written'
)
COMMENT = 'One row a batch: how far a stream is loaded.';

-- setup 26
CREATE TABLE IF NOT EXISTS "ANALYTICS"."AUDIT"."CHECKPOINTS" (
  "CHECKPOINT_ID" VARCHAR NOT NULL COMMENT 'One purge or erasure: all its rows share it',
  "KIND" VARCHAR NOT NULL COMMENT 'purge or erase',
  "AUDIT_TABLE" VARCHAR NOT NULL COMMENT 'Audit table the rows were in',
  "TARGET_TABLE" VARCHAR COMMENT 'Target table the rows were about; null = the table has no such column',
  "OF_CHAIN" VARCHAR COMMENT 'Chain the rows belonged to; null = none',
  "ROW_COUNT" NUMBER(38,0) NOT NULL COMMENT 'Rows deleted or blanked',
  "FIRST_AT" TIMESTAMP_NTZ(9) COMMENT 'Time of the oldest of them',
  "LAST_AT" TIMESTAMP_NTZ(9) COMMENT 'Time of the newest of them',
  "FIRST_NUMBER" NUMBER(38,0) COMMENT 'Lowest CHAIN_NUMBER of them',
  "LAST_NUMBER" NUMBER(38,0) COMMENT 'Highest CHAIN_NUMBER of them',
  "LAST_DIGEST" VARCHAR COMMENT 'CHAIN_DIGEST of the row with the highest CHAIN_NUMBER',
  "CUTOFF" TIMESTAMP_NTZ(9) COMMENT 'purge: rows before this time were due',
  "KEY_HASH" VARCHAR COMMENT 'erase: digest of the record''s key; null = a dead letter without a key',
  "REASON" VARCHAR NOT NULL COMMENT 'Why, as the person said',
  "AT" TIMESTAMP_NTZ(9) NOT NULL COMMENT 'When the row was written',
  "ACTOR" VARCHAR NOT NULL COMMENT 'CURRENT_USER() of the session that wrote the row',
  "ACTOR_ROLE" VARCHAR NOT NULL COMMENT 'CURRENT_ROLE() of the session that wrote the row'
)
COMMENT = 'What `purge` deleted and `erase` blanked: one row for each audit table, target table and chain, written in the transaction that did it.';

-- setup 27
ALTER TABLE "ANALYTICS"."AUDIT"."RECORD_HISTORY" ADD COLUMN IF NOT EXISTS "ERASURE_ID" VARCHAR COMMENT 'Set when `erase` blanked the payload: CHECKPOINT_ID of the row in CHECKPOINTS that says who and why';

-- setup 28
ALTER TABLE "ANALYTICS"."AUDIT"."DEAD_LETTERS" ADD COLUMN IF NOT EXISTS "REDACTED" VARIANT COMMENT 'Properties whose values `redact_columns` replaced: {property: hash|mask|drop}; null = none';

-- setup 29
ALTER TABLE "ANALYTICS"."AUDIT"."DEAD_LETTERS" ADD COLUMN IF NOT EXISTS "ERASURE_ID" VARCHAR COMMENT 'Set when `erase` blanked the payload: CHECKPOINT_ID of the row in CHECKPOINTS that says who and why';

-- setup 30
ALTER TABLE "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" ADD COLUMN IF NOT EXISTS "ERASURE_ID" VARCHAR COMMENT 'Set when `erase` blanked the payload: CHECKPOINT_ID of the row in CHECKPOINTS that says who and why';

-- setup 31
CREATE OR REPLACE VIEW "ANALYTICS"."AUDIT"."RUNS_CURRENT" COMMENT = 'Each run once, as its latest row shows it, with the time it started.' AS
SELECT "RUN_ID", "EVENT", "STATUS", "AT", "PROGRAM", "PROGRAM_VERSION", "SDK_VERSION", "CONNECTOR_VERSION", "CONFIG_SHA256", "MAPPING_SHA256", "MELTANO_ENVIRONMENT", "MELTANO_RUN_ID", "MELTANO_STATE_ID", "SESSION_ID", "RECORDS", "DEAD_LETTERS", "BATCHES", "STREAMS", "STATEMENT_MS", "ERROR", "ACTOR", "ACTOR_ROLE", "CHAIN", "CHAIN_NUMBER", "CHAIN_PREVIOUS", "CHAIN_DIGEST", MIN("AT") OVER (PARTITION BY "RUN_ID") AS "STARTED_AT" FROM "ANALYTICS"."AUDIT"."RUNS" QUALIFY ROW_NUMBER() OVER (PARTITION BY "RUN_ID" ORDER BY IFF("EVENT" = 'ended', 1, 0) DESC, "AT" DESC) = 1;

-- setup 32
CREATE OR REPLACE VIEW "ANALYTICS"."AUDIT"."DEAD_LETTERS_CURRENT" COMMENT = 'Each dead letter once, with its latest event: STATUS is open until somebody or something acts on it.' AS
SELECT d."DEAD_LETTER_ID", d."RUN_ID", d."BATCH_ID", d."STREAM", d."TARGET_TABLE", d."KEY", d."KEY_HASH", d."PHASE", d."REASON", d."ERRORS", d."RECORD", d."RECORD_TEXT", d."RECORD_SHA256", d."SINGER_SCHEMA", d."SCHEMA_SHA256", d."ERRNO", d."SQLSTATE", d."QUERY_ID", d."SOURCE_TIME", d."EXTRACTED_AT", d."SEQ", d."AT", d."ROW_DIGEST", d."REDACTED", d."ERASURE_ID", COALESCE(e."EVENT", 'open') AS "STATUS", e."AT" AS "STATUS_AT", e."ACTOR" AS "STATUS_ACTOR", e."NOTE" AS "STATUS_NOTE", e."BATCH_ID" AS "STATUS_BATCH_ID", COALESCE(e."EVENTS", 0) AS "EVENTS" FROM "ANALYTICS"."AUDIT"."DEAD_LETTERS" AS d LEFT JOIN (SELECT "DEAD_LETTER_ID", "EVENT", "AT", "ACTOR", "NOTE", "BATCH_ID", COUNT(*) OVER (PARTITION BY "DEAD_LETTER_ID") AS "EVENTS" FROM "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" WHERE "EVENT" <> 'seen_again' QUALIFY ROW_NUMBER() OVER (PARTITION BY "DEAD_LETTER_ID" ORDER BY "AT" DESC, "EVENT_ID" DESC) = 1) AS e ON e."DEAD_LETTER_ID" = d."DEAD_LETTER_ID" QUALIFY ROW_NUMBER() OVER (PARTITION BY d."DEAD_LETTER_ID" ORDER BY d."AT") = 1;

-- setup 33
CREATE OR REPLACE VIEW "ANALYTICS"."AUDIT"."WATERMARKS_CURRENT" COMMENT = 'How far each stream is loaded.' AS
SELECT "STREAM", "TARGET_TABLE", "RUN_ID", "BATCH_ID", "REPLICATION_KEY", "HIGHEST_VALUE", "BOOKMARK", "AT" FROM "ANALYTICS"."AUDIT"."WATERMARKS" QUALIFY ROW_NUMBER() OVER (PARTITION BY "STREAM", "TARGET_TABLE" ORDER BY "AT" DESC) = 1;

-- setup 34
CREATE OR REPLACE VIEW "ANALYTICS"."AUDIT"."FRESHNESS" COMMENT = 'Each table once: its last batch, the newest source stamp loaded, and the age of both in seconds.' AS
SELECT "TARGET_TABLE", "STREAM", "LOADED_AT" AS "LAST_LOADED_AT", DATEDIFF('second', "LOADED_AT", SYSDATE()) AS "LOAD_AGE_SECONDS", "NEWEST_SOURCE_TIME", DATEDIFF('second', "NEWEST_SOURCE_TIME", SYSDATE()) AS "SOURCE_AGE_SECONDS", "BATCH_ID", "RUN_ID" FROM (SELECT "TARGET_TABLE", "STREAM", "LOADED_AT", "BATCH_ID", "RUN_ID", MAX("SOURCE_TO") OVER (PARTITION BY "TARGET_TABLE") AS "NEWEST_SOURCE_TIME" FROM "ANALYTICS"."AUDIT"."BATCHES" WHERE "OPERATION" <> 'gather' QUALIFY ROW_NUMBER() OVER (PARTITION BY "TARGET_TABLE" ORDER BY "LOADED_AT" DESC, "BATCH_NUMBER" DESC) = 1);

-- setup 35
GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "SAGEX3_LOADER";

-- setup 36
GRANT USAGE, CREATE SCHEMA ON DATABASE "ANALYTICS" TO ROLE "SAGEX3_LOADER";

-- setup 37
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE "SAGEX3_LOADER";

-- setup 38
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."RUNS" TO ROLE "SAGEX3_LOADER";

-- setup 39
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."BATCHES" TO ROLE "SAGEX3_LOADER";

-- setup 40
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."RETRIES" TO ROLE "SAGEX3_LOADER";

-- setup 41
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."RECORD_HISTORY" TO ROLE "SAGEX3_LOADER";

-- setup 42
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTERS" TO ROLE "SAGEX3_LOADER";

-- setup 43
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" TO ROLE "SAGEX3_LOADER";

-- setup 44
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."SCHEMA_CHANGES" TO ROLE "SAGEX3_LOADER";

-- setup 45
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."WATERMARKS" TO ROLE "SAGEX3_LOADER";

-- setup 46
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."CHECKPOINTS" TO ROLE "SAGEX3_LOADER";

-- setup 47
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."RUNS_CURRENT" TO ROLE "SAGEX3_LOADER";

-- setup 48
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."DEAD_LETTERS_CURRENT" TO ROLE "SAGEX3_LOADER";

-- setup 49
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."WATERMARKS_CURRENT" TO ROLE "SAGEX3_LOADER";

-- setup 50
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."FRESHNESS" TO ROLE "SAGEX3_LOADER";

-- setup 51
GRANT USAGE, CREATE TABLE ON SCHEMA "ANALYTICS"."AUDIT_LOCK" TO ROLE "SAGEX3_LOADER";

-- setup 52
GRANT READ, WRITE ON STAGE "ANALYTICS"."AUDIT_LOCK"."LOAD" TO ROLE "SAGEX3_LOADER";

-- setup 53
GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "SAGEX3_REVIEWER";

-- setup 54
GRANT USAGE ON DATABASE "ANALYTICS" TO ROLE "SAGEX3_REVIEWER";

-- setup 55
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE "SAGEX3_REVIEWER";

-- setup 56
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT_LOCK" TO ROLE "SAGEX3_REVIEWER";

-- setup 57
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RUNS" TO ROLE "SAGEX3_REVIEWER";

-- setup 58
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."BATCHES" TO ROLE "SAGEX3_REVIEWER";

-- setup 59
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RETRIES" TO ROLE "SAGEX3_REVIEWER";

-- setup 60
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RECORD_HISTORY" TO ROLE "SAGEX3_REVIEWER";

-- setup 61
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTERS" TO ROLE "SAGEX3_REVIEWER";

-- setup 62
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" TO ROLE "SAGEX3_REVIEWER";

-- setup 63
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."SCHEMA_CHANGES" TO ROLE "SAGEX3_REVIEWER";

-- setup 64
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."WATERMARKS" TO ROLE "SAGEX3_REVIEWER";

-- setup 65
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."CHECKPOINTS" TO ROLE "SAGEX3_REVIEWER";

-- setup 66
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."RUNS_CURRENT" TO ROLE "SAGEX3_REVIEWER";

-- setup 67
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."DEAD_LETTERS_CURRENT" TO ROLE "SAGEX3_REVIEWER";

-- setup 68
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."WATERMARKS_CURRENT" TO ROLE "SAGEX3_REVIEWER";

-- setup 69
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."FRESHNESS" TO ROLE "SAGEX3_REVIEWER";

-- setup 70
GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "SAGEX3_APPROVER";

-- setup 71
GRANT USAGE ON DATABASE "ANALYTICS" TO ROLE "SAGEX3_APPROVER";

-- setup 72
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE "SAGEX3_APPROVER";

-- setup 73
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT_LOCK" TO ROLE "SAGEX3_APPROVER";

-- setup 74
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RUNS" TO ROLE "SAGEX3_APPROVER";

-- setup 75
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."BATCHES" TO ROLE "SAGEX3_APPROVER";

-- setup 76
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RETRIES" TO ROLE "SAGEX3_APPROVER";

-- setup 77
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RECORD_HISTORY" TO ROLE "SAGEX3_APPROVER";

-- setup 78
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTERS" TO ROLE "SAGEX3_APPROVER";

-- setup 79
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" TO ROLE "SAGEX3_APPROVER";

-- setup 80
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."SCHEMA_CHANGES" TO ROLE "SAGEX3_APPROVER";

-- setup 81
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."WATERMARKS" TO ROLE "SAGEX3_APPROVER";

-- setup 82
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."CHECKPOINTS" TO ROLE "SAGEX3_APPROVER";

-- setup 83
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."RUNS_CURRENT" TO ROLE "SAGEX3_APPROVER";

-- setup 84
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."DEAD_LETTERS_CURRENT" TO ROLE "SAGEX3_APPROVER";

-- setup 85
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."WATERMARKS_CURRENT" TO ROLE "SAGEX3_APPROVER";

-- setup 86
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."FRESHNESS" TO ROLE "SAGEX3_APPROVER";

-- setup 87
GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "SAGEX3_AUDITOR";

-- setup 88
GRANT USAGE ON DATABASE "ANALYTICS" TO ROLE "SAGEX3_AUDITOR";

-- setup 89
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE "SAGEX3_AUDITOR";

-- setup 90
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT_LOCK" TO ROLE "SAGEX3_AUDITOR";

-- setup 91
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RUNS" TO ROLE "SAGEX3_AUDITOR";

-- setup 92
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."BATCHES" TO ROLE "SAGEX3_AUDITOR";

-- setup 93
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RETRIES" TO ROLE "SAGEX3_AUDITOR";

-- setup 94
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."RECORD_HISTORY" TO ROLE "SAGEX3_AUDITOR";

-- setup 95
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTERS" TO ROLE "SAGEX3_AUDITOR";

-- setup 96
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" TO ROLE "SAGEX3_AUDITOR";

-- setup 97
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."SCHEMA_CHANGES" TO ROLE "SAGEX3_AUDITOR";

-- setup 98
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."WATERMARKS" TO ROLE "SAGEX3_AUDITOR";

-- setup 99
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."CHECKPOINTS" TO ROLE "SAGEX3_AUDITOR";

-- setup 100
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."RUNS_CURRENT" TO ROLE "SAGEX3_AUDITOR";

-- setup 101
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."DEAD_LETTERS_CURRENT" TO ROLE "SAGEX3_AUDITOR";

-- setup 102
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."WATERMARKS_CURRENT" TO ROLE "SAGEX3_AUDITOR";

-- setup 103
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."FRESHNESS" TO ROLE "SAGEX3_AUDITOR";

-- setup 104
GRANT USAGE ON WAREHOUSE "LOAD_WH" TO ROLE "SAGEX3_PURGER";

-- setup 105
GRANT USAGE ON DATABASE "ANALYTICS" TO ROLE "SAGEX3_PURGER";

-- setup 106
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE "SAGEX3_PURGER";

-- setup 107
GRANT USAGE ON SCHEMA "ANALYTICS"."AUDIT_LOCK" TO ROLE "SAGEX3_PURGER";

-- setup 108
GRANT SELECT, DELETE ON TABLE "ANALYTICS"."AUDIT"."RUNS" TO ROLE "SAGEX3_PURGER";

-- setup 109
GRANT SELECT, DELETE ON TABLE "ANALYTICS"."AUDIT"."BATCHES" TO ROLE "SAGEX3_PURGER";

-- setup 110
GRANT SELECT, DELETE ON TABLE "ANALYTICS"."AUDIT"."RETRIES" TO ROLE "SAGEX3_PURGER";

-- setup 111
GRANT SELECT, UPDATE, DELETE ON TABLE "ANALYTICS"."AUDIT"."RECORD_HISTORY" TO ROLE "SAGEX3_PURGER";

-- setup 112
GRANT SELECT, UPDATE, DELETE ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTERS" TO ROLE "SAGEX3_PURGER";

-- setup 113
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" TO ROLE "SAGEX3_PURGER";

-- setup 114
GRANT SELECT ON TABLE "ANALYTICS"."AUDIT"."SCHEMA_CHANGES" TO ROLE "SAGEX3_PURGER";

-- setup 115
GRANT SELECT, DELETE ON TABLE "ANALYTICS"."AUDIT"."WATERMARKS" TO ROLE "SAGEX3_PURGER";

-- setup 116
GRANT SELECT, INSERT ON TABLE "ANALYTICS"."AUDIT"."CHECKPOINTS" TO ROLE "SAGEX3_PURGER";

-- setup 117
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."RUNS_CURRENT" TO ROLE "SAGEX3_PURGER";

-- setup 118
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."DEAD_LETTERS_CURRENT" TO ROLE "SAGEX3_PURGER";

-- setup 119
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."WATERMARKS_CURRENT" TO ROLE "SAGEX3_PURGER";

-- setup 120
GRANT SELECT ON VIEW "ANALYTICS"."AUDIT"."FRESHNESS" TO ROLE "SAGEX3_PURGER";

-- setup 121
GRANT USAGE ON DATABASE "ANALYTICS" TO ROLE "SAGEX3_OWNER";

-- setup 122
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."RUNS" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 123
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."BATCHES" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 124
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."RETRIES" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 125
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."RECORD_HISTORY" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 126
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTERS" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 127
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."DEAD_LETTER_EVENTS" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 128
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."SCHEMA_CHANGES" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 129
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."WATERMARKS" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 130
GRANT OWNERSHIP ON TABLE "ANALYTICS"."AUDIT"."CHECKPOINTS" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 131
GRANT OWNERSHIP ON VIEW "ANALYTICS"."AUDIT"."RUNS_CURRENT" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 132
GRANT OWNERSHIP ON VIEW "ANALYTICS"."AUDIT"."DEAD_LETTERS_CURRENT" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 133
GRANT OWNERSHIP ON VIEW "ANALYTICS"."AUDIT"."WATERMARKS_CURRENT" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 134
GRANT OWNERSHIP ON VIEW "ANALYTICS"."AUDIT"."FRESHNESS" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 135
GRANT OWNERSHIP ON SCHEMA "ANALYTICS"."AUDIT" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 136
GRANT OWNERSHIP ON STAGE "ANALYTICS"."AUDIT_LOCK"."LOAD" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;

-- setup 137
GRANT OWNERSHIP ON SCHEMA "ANALYTICS"."AUDIT_LOCK" TO ROLE "SAGEX3_OWNER" COPY CURRENT GRANTS;
