"""What SQL Server has and PostgreSQL has not, made in a database of the tests: functions, views, types and casts."""

from __future__ import annotations

SETUP = r"""
SELECT pg_advisory_lock(1433);
CREATE SCHEMA IF NOT EXISTS dbo;
CREATE SCHEMA IF NOT EXISTS mssql;
DO $$ BEGIN
  CREATE DOMAIN mssql.tinyint AS smallint CHECK (VALUE BETWEEN 0 AND 255);
  CREATE DOMAIN mssql.money AS numeric(19, 4);
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE OR REPLACE FUNCTION mssql.true_if(smallint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 <> 0';
CREATE OR REPLACE FUNCTION mssql.true_if(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 <> 0';
DO $$ BEGIN
  CREATE CAST (smallint AS boolean) WITH FUNCTION mssql.true_if(smallint) AS ASSIGNMENT;
  CREATE CAST (bigint AS boolean) WITH FUNCTION mssql.true_if(bigint) AS ASSIGNMENT;
EXCEPTION WHEN duplicate_object THEN NULL; END $$;
UPDATE pg_cast SET castcontext = 'a'
 WHERE castsource = 'int4'::regtype AND casttarget = 'bool'::regtype AND castcontext = 'e';
CREATE OR REPLACE FUNCTION mssql.bare(text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT lower(replace(replace(regexp_replace($1, '^(\[?tempdb\]?)?\.\.', ''), '[', ''), ']', '')) $$;
CREATE OR REPLACE FUNCTION mssql.object_id(text) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT c.oid::integer FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relname = split_part(mssql.bare($1), '.', greatest(1, array_length(string_to_array(mssql.bare($1), '.'), 1)))
     AND (n.nspname = 'dbo' OR n.oid = pg_my_temp_schema()) AND c.relkind IN ('r', 'v', 'p') LIMIT 1 $$;
CREATE OR REPLACE FUNCTION mssql.object_id(text, text) RETURNS integer LANGUAGE sql STABLE AS
  'SELECT mssql.object_id($1)';
CREATE OR REPLACE FUNCTION mssql.columnproperty(integer, text, text) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT CASE lower($3) WHEN 'isidentity' THEN (attidentity <> '')::integer
                        WHEN 'iscomputed' THEN (attgenerated <> '')::integer END
    FROM pg_attribute WHERE attrelid = $1::oid AND attname = $2 $$;
CREATE OR REPLACE FUNCTION mssql.schema_name() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'dbo' $$;
CREATE OR REPLACE FUNCTION mssql.db_name() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'books' $$;
CREATE OR REPLACE FUNCTION mssql.suser_sname() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'me' $$;
CREATE OR REPLACE FUNCTION mssql.quotename(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT '[' || $1 || ']' $$;
CREATE OR REPLACE FUNCTION mssql.has_perms_by_name(text, text, text) RETURNS integer LANGUAGE sql STABLE AS
  $$ SELECT has_table_privilege(mssql.object_id($1)::oid, $3)::integer $$;
CREATE OR REPLACE FUNCTION mssql.serverproperty(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE lower($1) WHEN 'productversion' THEN '16.0.4096.1' WHEN 'edition' THEN 'Stand-in on PostgreSQL' END $$;
CREATE OR REPLACE FUNCTION mssql.sysutcdatetime() RETURNS timestamp LANGUAGE sql VOLATILE AS
  $$ SELECT clock_timestamp() AT TIME ZONE 'UTC' $$;
CREATE OR REPLACE VIEW mssql.tables AS
  SELECT table_catalog::text, table_schema::text, table_name::text, table_type::text FROM information_schema.tables
   WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'mssql') AND table_name NOT LIKE '#%';
CREATE OR REPLACE VIEW mssql.columns AS
  SELECT table_schema::text, table_name::text, column_name::text, ordinal_position::integer,
         CASE WHEN domain_name IS NOT NULL THEN domain_name::text
              ELSE CASE udt_name::text WHEN 'int2' THEN 'smallint' WHEN 'int4' THEN 'int' WHEN 'int8' THEN 'bigint'
                   WHEN 'numeric' THEN 'decimal' WHEN 'float4' THEN 'real' WHEN 'float8' THEN 'float'
                   WHEN 'bool' THEN 'bit' WHEN 'varchar' THEN 'nvarchar' WHEN 'text' THEN 'nvarchar'
                   WHEN 'bpchar' THEN 'nchar' WHEN 'timestamp' THEN 'datetime2' WHEN 'timestamptz' THEN 'datetimeoffset'
                   WHEN 'uuid' THEN 'uniqueidentifier' WHEN 'bytea' THEN 'varbinary' ELSE udt_name::text END
         END AS data_type,
         CASE WHEN udt_name IN ('text', 'bytea') THEN -1 ELSE character_maximum_length::integer END
           AS character_maximum_length,
         numeric_precision::integer, numeric_scale::integer, datetime_precision::integer, is_nullable::text,
         column_default::text, CASE WHEN udt_name IN ('text', 'varchar', 'bpchar') THEN 'UNICODE' END
           AS character_set_name
    FROM information_schema.columns
   WHERE table_schema NOT IN ('pg_catalog', 'information_schema', 'mssql') AND table_name NOT LIKE '#%';
CREATE OR REPLACE VIEW mssql.table_constraints AS
  SELECT constraint_schema::text, constraint_name::text, table_schema::text, table_name::text, constraint_type::text
    FROM information_schema.table_constraints WHERE constraint_name NOT LIKE '%\_not\_null';
CREATE OR REPLACE VIEW mssql.key_column_usage AS
  SELECT constraint_schema::text, constraint_name::text, table_schema::text, table_name::text, column_name::text,
         ordinal_position::integer FROM information_schema.key_column_usage;
CREATE OR REPLACE VIEW mssql.referential_constraints AS
  SELECT constraint_schema::text, constraint_name::text, unique_constraint_schema::text, unique_constraint_name::text,
         update_rule::text, delete_rule::text FROM information_schema.referential_constraints;
CREATE OR REPLACE VIEW mssql.check_constraints AS
  SELECT constraint_schema::text, constraint_name::text,
         regexp_replace(check_clause, '::[a-z ]+(\(\d+(,\d+)?\))?', '', 'g') AS check_clause
    FROM information_schema.check_constraints
   WHERE constraint_schema = 'dbo' AND constraint_name NOT LIKE '%\_not\_null';
SELECT pg_advisory_unlock(1433);
"""
