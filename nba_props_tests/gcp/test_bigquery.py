"""BigQuery's own side of the warehouse: what is asked of it, what it does when it fails, and who may write at once."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from google.api_core.exceptions import BadRequest, Forbidden, GoogleAPIError, InternalServerError
from google.cloud import bigquery

from nba_props.catalog import TABLES, VIEWS
from nba_props.domain import digests
from nba_props.domain.views.ledger import LEDGER_REVISIONS
from nba_props.facts.vocabulary import RemediationStep
from nba_props.operations import remediation, selection
from nba_props.operations.ledger import batches
from nba_props.schemas.base import Column, Type
from nba_props.warehouse import usage
from nba_props.warehouse.base import CorruptPartition, MissingPartition, WarehouseError
from nba_props.warehouse.bigquery import leases
from nba_props.warehouse.bigquery.past import as_of
from nba_props.warehouse.lake.columns import columns_of
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import make_settings
from nba_props_tests.gcp.googlesql import analyse, plain_name
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names, take_out

D3 = D1 + timedelta(9)


@pytest.fixture
def gcp(make_gcp):
    return make_gcp()


@pytest.fixture
def warehouse(gcp, tmp_path):
    return open_warehouse(make_settings(tmp_path, gcp=gcp))


def reopened(warehouse, gcp, tmp_path):
    """The same tables as another process sees them."""
    return open_warehouse(make_settings(tmp_path, gcp=gcp))


def stored(warehouse, table) -> bigquery.Table:
    return warehouse._api.client.get_table(warehouse._tables.name(table.address))


def leftovers(warehouse) -> list[str]:
    found = warehouse._api.client.list_tables(f"{warehouse._api.project}.{warehouse._tables.prefix}{NAMES.dataset}")
    return [t.table_id for t in found if "staging" in t.table_id or "scratch" in t.table_id]


class TestTheTables:
    def test_are_made_from_their_contracts(self, warehouse):
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        table = stored(warehouse, LEDGER)
        assert table.description == LEDGER.description
        assert (table.time_partitioning.type_, table.time_partitioning.field) == ("DAY", "game_date")
        assert table.clustering_fields == ["system_id", "player_id"]
        by_name = {f.name: f for f in table.schema}
        assert list(by_name) == LEDGER.column_names
        assert (
            by_name["forecast"].description
            == "Forecast, up to its market's ceiling; null when the system abstained [stat]"
        )
        kinds = ("game_date", "player_id", "forecast", "is_backfill", "created_at", "system_id")
        assert [by_name[n].field_type for n in kinds] == ["DATE", "INTEGER", "FLOAT", "BOOLEAN", "TIMESTAMP", "STRING"]

    def test_every_contract_and_view_is_accepted(self, warehouse):
        warehouse.create_views()
        for table in TABLES.values():
            warehouse._tables.ensure(table.address)
        made = [warehouse._api.client.get_table(warehouse._tables.name(a)) for a in VIEWS]
        assert {v.table_type for v in made} == {"VIEW"}
        for view in made:
            own = columns_of(f"{view.dataset_id.removeprefix(warehouse._tables.prefix)}.{view.table_id}", VIEWS)
            assert {f.name: f.description for f in view.schema} == {c.name: c.full_description for c in own}

    def test_a_view_that_is_replaced_is_described_again(self, warehouse, gcp, tmp_path):
        warehouse._tables.ensure(LEDGER_REVISIONS.address)
        later = reopened(warehouse, gcp, tmp_path)
        later._tables.views = {
            **VIEWS,
            LEDGER_REVISIONS.address: replace(LEDGER_REVISIONS, sql=f"{LEDGER_REVISIONS.sql} WHERE p.player_id > 1"),
        }
        (run_id,) = (
            f for f in stored(later, later._tables.views[LEDGER_REVISIONS.address]).schema if f.name == "run_id"
        )
        later._tables.ensure(LEDGER_REVISIONS.address)
        found = stored(later, LEDGER_REVISIONS)
        assert found.view_query.endswith("player_id > 1")
        assert [f.description for f in found.schema if f.name == "run_id"] == [run_id.description]

    def test_a_new_column_is_added_and_old_rows_are_null_in_it(self, warehouse, gcp, tmp_path, monkeypatch):
        warehouse.write(NAMES, names(D1, 2), [D1])
        wider = replace(NAMES, columns=(*NAMES.columns, Column("note", Type.STRING, "A note", nullable=True)))
        monkeypatch.setitem(TABLES, NAMES.address, wider)
        later = reopened(warehouse, gcp, tmp_path)
        assert later.read(wider, [D1])["note"].isna().all()
        later.write(wider, names(D2, 1).assign(note="new"), [D2])
        assert later.read(wider, [D1, D2])["note"].tolist() == [None, None, "new"]

    def test_a_column_of_another_type_is_an_error_with_a_way_out(self, warehouse, gcp, tmp_path, monkeypatch):
        warehouse.write(NAMES, names(D1, 2), [D1])
        changed = tuple(replace(c, type=Type.STRING) if c.name == "quotes" else c for c in NAMES.columns)
        monkeypatch.setitem(TABLES, NAMES.address, replace(NAMES, columns=changed))
        message = (
            r"another contract: quotes is INT64 and not STRING\. `nba-props backfill 2025-11-05\.\.2025-11-05 --force` "
            r"makes it again, once \S+unresolved_names was dropped"
        )
        with pytest.raises(WarehouseError, match=message):
            reopened(warehouse, gcp, tmp_path).read(NAMES, [D1])

    @pytest.fixture
    def of_an_earlier_release(self, warehouse) -> None:
        """Two partitions as bf2bd57 wrote them: no label on the table, marks that say how many rows there are."""
        warehouse.write(NAMES, pd.concat([names(D1, 2), names(D2, 3)]), [D1, D2])
        table = stored(warehouse, NAMES)
        table.labels = dict.fromkeys(table.labels)
        warehouse._api.client.update_table(table, ["labels"])
        folder = warehouse._manifest._prefix
        for blob in list(warehouse._api.bucket().list_blobs(prefix=f"{folder}/_contracts/")):
            blob.delete()
        for blob in list(warehouse._api.bucket().list_blobs(prefix=f"{folder}/{NAMES.dataset}/{NAMES.name}/")):
            again = warehouse._api.bucket().blob(blob.name)
            again.metadata = {"rows": blob.metadata["rows"]}
            again.upload_from_string(b"")

    @pytest.mark.usefixtures("of_an_earlier_release")
    def test_a_deployment_of_an_earlier_release_is_read_and_grows(self, warehouse, gcp, tmp_path, monkeypatch):
        old = reopened(warehouse, gcp, tmp_path)
        states = old.states(NAMES)
        assert {d: (s.rows, s.made_from) for d, s in states.items()} == {D1: (2, ""), D2: (3, "")}
        assert states[D1].content == digests.content(NAMES, names(D1, 2), D1)
        wider = replace(NAMES, columns=(*NAMES.columns, Column("note", Type.STRING, "A note", nullable=True)))
        monkeypatch.setitem(TABLES, NAMES.address, wider)
        later = reopened(warehouse, gcp, tmp_path)
        assert later.read(wider, [D1, D2])["note"].isna().all()
        assert {d: s.content for d, s in later.states(wider).items()} == {d: s.content for d, s in states.items()}

    @pytest.mark.usefixtures("of_an_earlier_release")
    def test_its_partitions_lack_a_column_that_cannot_be_null(self, warehouse, gcp, tmp_path, monkeypatch):
        wider = replace(NAMES, columns=(*NAMES.columns, Column("note", Type.STRING, "A note")))
        monkeypatch.setitem(TABLES, NAMES.address, wider)
        later = reopened(warehouse, gcp, tmp_path)
        later.write(wider, names(D1, 1).assign(note="new"), [D1])
        assert later.read(wider, [D1])["note"].tolist() == ["new"]
        for each in (later, reopened(warehouse, gcp, tmp_path)):
            with pytest.raises(CorruptPartition, match=f"partition {D2} .*note is missing and can't be null"):
                each.read(wider, [D1, D2])
            with pytest.raises(CorruptPartition, match=f"partition {D2} .*note is missing and can't be null"):
                each.query("SELECT note FROM nba_reference.unresolved_names")

    def test_a_changed_view_is_recreated(self, warehouse, gcp, tmp_path, monkeypatch):
        address = "nba_predictions.current_predictions"
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        assert len(warehouse.query(f"SELECT * FROM {address}")) == 1
        other = replace(VIEWS[address], sql="SELECT * FROM nba_predictions.ledger WHERE FALSE")
        monkeypatch.setitem(VIEWS, address, other)
        assert reopened(warehouse, gcp, tmp_path).query(f"SELECT * FROM {address}").empty


class TestALoadThatFails:
    @pytest.fixture
    def broken_file(self, monkeypatch):
        """Parquet files that end half-way, as a process that ran out of memory might send."""
        import pyarrow.parquet as pq

        plain = pq.write_table

        def half(table, file, **options):
            plain(table, file, **options)
            file.truncate(file.tell() // 2)
            file.seek(0, 2)

        monkeypatch.setattr(pq, "write_table", half)

    def test_leaves_a_partition_as_it_was(self, warehouse, monkeypatch):
        warehouse.write(NAMES, names(D1, 3), [D1])
        before = warehouse.states(NAMES)

        def refused(*_args, **_options):
            raise InternalServerError("the load job failed")

        with monkeypatch.context() as patch:
            patch.setattr(bigquery.LoadJob, "result", refused)
            patch.setattr(bigquery.Client, "_do_multipart_upload", refused)
            with pytest.raises(WarehouseError, match=r"the load job failed.*What was there before is unchanged"):
                warehouse.write(NAMES, names(D1, 9, "new"), [D1])
        assert warehouse.read(NAMES, [D1])["source_name"].tolist() == ["a0", "a1", "a2"]
        assert warehouse.states(NAMES) == before

    @pytest.mark.parametrize(
        "busy",
        [
            BadRequest("Could not serialize access to table nba_reference.unresolved_names due to concurrent update"),
            Forbidden("Exceeded rate limits: too many table update operations for this table"),
        ],
    )
    def test_because_the_table_is_busy_is_tried_again(self, warehouse, monkeypatch, busy):
        warehouse.write(NAMES, names(D1, 3), [D1])
        plain, refusals = bigquery.LoadJob.result, [busy]

        def result(job, *arguments, **options):
            if refusals:
                raise refusals.pop()
            return plain(job, *arguments, **options)

        monkeypatch.setattr(bigquery.LoadJob, "result", result)
        warehouse.write(NAMES, names(D1, 2, "new"), [D1])
        assert warehouse.read(NAMES, [D1])["source_name"].tolist() == ["new0", "new1"]

    def test_half_way_on_the_server_leaves_a_partition_as_it_was(self, warehouse, request):
        warehouse.write(NAMES, names(D1, 3), [D1])
        request.getfixturevalue("broken_file")
        with pytest.raises(WarehouseError, match=r"nba_reference\.unresolved_names: .*What was there before"):
            warehouse.write(NAMES, names(D1, 200, "new"), [D1])
        assert warehouse.read(NAMES, [D1])["source_name"].tolist() == ["a0", "a1", "a2"]

    def test_half_way_leaves_a_span_and_a_ledger_as_they_were_and_no_staging(self, warehouse, request):
        warehouse.write(NAMES, names(D1, 3), [D1])
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        request.getfixturevalue("broken_file")
        with pytest.raises(WarehouseError):
            warehouse.write(NAMES, names(D1, 200, "new"), [D1, D2])
        with pytest.raises(WarehouseError):
            warehouse.append(LEDGER, ledger(["b"]), [D1])
        assert warehouse.read(NAMES, [D1])["source_name"].tolist() == ["a0", "a1", "a2"]
        assert warehouse.partitions(NAMES) == [D1]
        assert warehouse.read(LEDGER, [D1])["prediction_id"].tolist() == ["a"]
        assert leftovers(warehouse) == []

    def test_between_delete_and_insert_rolls_the_span_back(self, warehouse, monkeypatch):
        days = [D1, D2]
        warehouse.write(NAMES, names(D1, 3), days)
        plain = warehouse._api.change

        def interrupted(sql, parameters, what):
            assert "DELETE" in sql.split("INSERT")[0]
            plain(sql.replace("INSERT INTO", "SELECT ERROR('struck');\nINSERT INTO"), parameters, what)

        monkeypatch.setattr(warehouse._api, "change", interrupted)
        with pytest.raises(WarehouseError, match="struck"):
            warehouse.write(NAMES, names(D2, 5, "new"), days)
        monkeypatch.undo()
        assert warehouse.read(NAMES, days)["source_name"].tolist() == ["a0", "a1", "a2"]
        assert leftovers(warehouse) == []
        warehouse.write(NAMES, names(D2, 5, "new"), days)
        assert len(warehouse.read(NAMES, days)) == 5, "the lease was given back"


class TestWhatIsAsked:
    @pytest.fixture
    def asked(self, monkeypatch):
        """The job configurations of every statement."""
        found = []
        for name in ("query", "query_and_wait"):
            plain = getattr(bigquery.Client, name)

            def noted(self, sql, *args, _plain=plain, **options):
                found.append((sql, options["job_config"]))
                return _plain(self, sql, *args, **options)

            monkeypatch.setattr(bigquery.Client, name, noted)
        return found

    def use(self, warehouse) -> None:
        """Whatever asks a statement of our own."""
        warehouse.write(NAMES, names(D1, 2), [D1, D2])
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        take_out(warehouse, ["a"], D1)
        warehouse.read(NAMES, [D1])
        warehouse.read(NAMES, [D1, D2])
        warehouse.damaged()

    def test_every_statement_has_a_limit_and_labels(self, warehouse, gcp, asked):
        with usage.within("box_scores") as spent:
            self.use(warehouse)
            warehouse.query("SELECT COUNT(*) AS n FROM nba_reference.unresolved_names WHERE game_date = @day", day=D1)
        changing = [c for sql, c in asked if not c.dry_run]
        assert len(changing) > 5
        assert {c.maximum_bytes_billed for c in changing} == {gcp.maximum_bytes}
        assert {tuple(sorted(c.labels.items())) for c in changing} == {
            (("application", "nba_props"), ("step", "box_scores"))
        }
        assert spent.queries == len(changing)
        assert spent.bytes_to_client > 0
        assert spent.bytes_from_client > 0

    def test_damage_is_found_by_a_list_for_each_dataset_and_not_by_a_request_for_each_table(
        self, warehouse, monkeypatch
    ):
        warehouse.write(NAMES, names(D1, 2), [D1])
        asked = []
        for name in ("get_table", "list_tables"):
            plain = getattr(bigquery.Client, name)

            def noted(self, *args, _name=name, _plain=plain, **options):
                asked.append(_name)
                return _plain(self, *args, **options)

            monkeypatch.setattr(bigquery.Client, name, noted)
        assert warehouse.damaged() == []
        assert asked.count("list_tables") == len({table.dataset for table in TABLES.values()})
        assert asked.count("get_table") <= 1

    def test_our_own_statements_filter_on_partitions(self, warehouse, asked):
        self.use(warehouse)
        assert all("game_date" in sql.split("WHERE")[-1] or "@days" in sql for sql, _ in asked)

    def test_googles_analyzer_accepts_the_statements_that_only_bigquery_gets(self, warehouse, asked):
        self.use(warehouse)
        statements = [part.strip() for sql, _ in asked for part in sql.split(";") if part.strip()]
        for statement in statements:
            # full names to those of the analyzer's catalog; a staging table has its table's columns
            analyse(re.sub(r"`\S+?(nba_[a-z]+)\.(?:staging_)?([a-z_]+?)(?:_[0-9a-f]{12})?`", r"\1.\2", statement))
        kinds = {s.split()[0] for s in statements}
        assert kinds == {"BEGIN", "DELETE", "INSERT", "COMMIT", "MERGE", "SELECT"}

    def test_a_statement_over_the_limit_names_the_setting(self, warehouse, monkeypatch):
        def over(*_args, **_options):
            raise InternalServerError(
                "Query exceeded limit for bytes billed: 1000. 10485760 or higher required.",
                errors=[{"reason": "bytesBilledLimitExceeded"}],
            )

        warehouse.write(NAMES, names(D1, 1), [D1])
        monkeypatch.setattr(bigquery.Client, "query_and_wait", over)
        with pytest.raises(WarehouseError, match="NBA_PROPS_MAX_BYTES_BILLED sets the limit"):
            warehouse.read(NAMES, [D1])

    def test_a_frame_is_cached_until_its_partition_is_replaced(self, warehouse, gcp, tmp_path, asked):
        warehouse.write(NAMES, names(D1, 2), [D1])
        for _ in range(3):
            assert len(warehouse.read(NAMES, [D1])) == 2
        assert len(asked) == 1
        reopened(warehouse, gcp, tmp_path).write(NAMES, names(D1, 5), [D1])
        assert len(warehouse.read(NAMES, [D1])) == 5, "another process has written"

    def test_the_number_of_statements_does_not_grow_with_rows_or_dates(self, warehouse, asked):
        counts = []
        for n in (2, 40):
            asked.clear()
            days = [D1 + timedelta(i) for i in range(n)]
            warehouse.write(NAMES, pd.concat([names(d, n) for d in days]), days)
            warehouse.read(NAMES, days)
            counts.append(len(asked))
        assert counts[0] == counts[1]


class TestWhatSomebodyElseDid:
    def test_an_emptied_partition_is_not_an_empty_slate(self, warehouse):
        warehouse.write(NAMES, names(D1, 3), [D1])
        warehouse.write(NAMES, NAMES.empty(), [D2])
        name = warehouse._tables.name(NAMES.address)
        warehouse._api.client.query(f"DELETE FROM `{name}` WHERE game_date = '{D1}'").result()
        with pytest.raises(CorruptPartition, match=r"2025-11-05 holds no row, though 3 were written on"):
            warehouse.read(NAMES, [D1])
        assert warehouse.read(NAMES, [D2]).empty
        warehouse.write(NAMES, names(D3, 1), [D3])
        with pytest.raises(CorruptPartition, match="2025-11-05 holds no row"):
            warehouse.read(NAMES, [D1, D2, D3])
        (damage,) = warehouse.damaged()
        assert (damage.table, damage.partition) == (NAMES, D1)
        assert warehouse.damaged([D2]) == []
        assert warehouse.set_aside(damage, datetime.now(UTC)).endswith("unresolved_names$20251105")
        with pytest.raises(MissingPartition):
            warehouse.read(NAMES, [D1])
        warehouse.write(NAMES, names(D1, 1), [D1])
        assert warehouse.damaged() == []

    def test_a_partition_that_is_written_while_it_is_read_is_read(self, warehouse, gcp, tmp_path, monkeypatch):
        warehouse.write(NAMES, names(D1, 3), [D1])
        warehouse.write(NAMES, names(D2, 2), [D2])
        plain, asked = warehouse._reader.select, []

        def late(table, days):
            asked.append(list(days))
            found = plain(table, days)
            return found[found["game_date"] != pd.Timestamp(D1)] if len(asked) == 1 else found

        monkeypatch.setattr(warehouse._reader, "select", late)
        assert warehouse.read(NAMES, [D1, D2])["source_name"].tolist() == ["a0", "a1", "a2", "a0", "a1"]
        assert asked == [[D1, D2], [D1]]

    def test_a_killed_process_blocks_a_ledger_only_for_a_while(self, warehouse, monkeypatch):
        monkeypatch.setattr(leases, "LEASE_SECONDS", 1.0)
        lease = warehouse._leases._acquire(LEDGER)
        started = time.monotonic()
        assert warehouse.append(LEDGER, ledger(["a"]), [D1]) == {D1: (1, 0)}
        assert 0.5 < time.monotonic() - started < 20
        # a holder that was thought dead comes back: not an error, and not another's lease
        warehouse._leases._release(lease)
        assert warehouse.append(LEDGER, ledger(["b"]), [D1]) == {D1: (1, 0)}

    def test_a_lease_is_renewed_while_its_holder_is_alive(self, warehouse, monkeypatch):
        monkeypatch.setattr(leases, "LEASE_SECONDS", 1.0)
        monkeypatch.setattr(leases, "LOCK_TIMEOUT_SECONDS", 2.0)
        with warehouse._leases.lock(LEDGER), pytest.raises(WarehouseError, match="is held by another run"):
            warehouse.append(LEDGER, ledger(["a"]), [D1])
        assert warehouse.append(LEDGER, ledger(["a"]), [D1]) == {D1: (1, 0)}

    def test_even_without_a_lease_no_key_is_written_twice(self, warehouse):
        """A lease that was lost: the statement itself knows the keys that came in between."""
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        warehouse._merge(LEDGER, {D1: LEDGER.conform(ledger(["a", "b"]))})
        assert warehouse.read(LEDGER, [D1])["prediction_id"].tolist() == ["a", "b"]

    def test_what_an_append_or_a_removal_finds_altered_stays_on_record(self, warehouse):
        warehouse.append(LEDGER, ledger(["a", "b", "c"]), [D1])
        name = warehouse._tables.name(LEDGER.address)
        warehouse._api.client.query(f"DELETE FROM `{name}` WHERE prediction_id = 'a'").result()
        (damage,) = warehouse.damaged()
        assert "holds other rows than were written" in damage.reason
        assert damage.is_readable
        warehouse.append(LEDGER, ledger(["d"]), [D1])
        assert "was altered before" in warehouse.damaged()[0].reason
        assert take_out(warehouse, ["d"], D1) == 1
        assert len(warehouse.damaged()) == 1
        warehouse.put_back(LEDGER, D1, lambda known: ledger(["a"]))
        assert warehouse.damaged() == [], "and is right again when it is as it was"

    def test_rows_on_a_date_without_a_mark_are_found_and_removed(self, warehouse):
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        own = ledger(["x"]).assign(game_date=pd.Timestamp(D3), row_digest=None)
        warehouse._api.load(
            LEDGER, LEDGER.conform(own), f"{warehouse._tables.name(LEDGER.address)}${D3:%Y%m%d}", "WRITE_TRUNCATE"
        )
        warehouse.mark_sealed()
        (damage,) = warehouse.damaged()
        assert (
            damage.reason == f"{LEDGER.address} partition {D3} holds 1 rows, though no mark records that it was written"
        )
        assert warehouse.damaged([D1]) == []
        found = remediation.quarantine(warehouse, selection.Selection("invalid_line", D3, D3), pd.Timestamp.now("UTC"))
        assert found.total == 1
        assert warehouse.read(LEDGER, [D3]).empty
        assert warehouse.damaged() == []

    def test_an_interrupted_rollback_is_completed_and_blocks_no_command(self, warehouse, gcp, tmp_path, monkeypatch):
        """It left a partition that held no row, though two were written, and that no command could read."""
        now, mark = pd.Timestamp.now("UTC"), warehouse._mark

        def dies(table, *args, **named):
            if table is LEDGER:
                raise KeyboardInterrupt
            mark(table, *args, **named)

        warehouse.claim("REAL")
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        with monkeypatch.context() as patch:
            patch.setattr(warehouse, "_mark", dies)
            with pytest.raises(KeyboardInterrupt):
                remediation.rollback(warehouse, "r", now)
        again = reopened(warehouse, gcp, tmp_path)
        assert again.read(LEDGER, [D1]).empty
        assert again.damaged() == []
        assert remediation.quarantine(again, selection.Selection("run", D1, D1, run_id="r"), now).total == 1
        assert again.damaged() == []
        (batch,) = batches(again)["batch_id"]
        assert remediation.restore(again, batch, now + timedelta(minutes=1)).total == 1
        assert again.read(LEDGER, [D1])["prediction_id"].tolist() == ["a"]

    def test_an_interrupted_quarantine_does_not_make_a_forged_row_valid(self, warehouse, monkeypatch):
        warehouse.claim("REAL")
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        name = warehouse._tables.name(LEDGER.address)
        both = pd.concat([ledger(["a"]), ledger(["x"])])
        warehouse._api.load(LEDGER, LEDGER.conform(both), f"{name}${D1:%Y%m%d}", "WRITE_TRUNCATE")
        assert warehouse.damaged()
        with monkeypatch.context() as patch:
            patch.setattr(warehouse._api, "change", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                take_out(warehouse, ["x"], D1)
        assert warehouse.damaged(), "it is there still"
        warehouse.append(LEDGER, ledger(["b"]), [D1])
        assert warehouse.damaged()
        assert take_out(warehouse, ["b", "x"], D1) == 2
        assert warehouse.damaged() == []

    def test_old_rows_are_accepted_once(self, warehouse):
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        name = warehouse._tables.name(LEDGER.address)
        mixed = LEDGER.conform(pd.concat([ledger(["a"]), ledger(["x"]).assign(row_digest=None)]))
        warehouse._api.load(LEDGER, mixed, f"{name}${D1:%Y%m%d}", "WRITE_TRUNCATE")
        assert warehouse.seal(LEDGER, D1) == 1
        assert warehouse.damaged() == []

    def test_records_beside_an_interrupted_write_are_not_damage(self, warehouse, monkeypatch):
        record = remediation._record
        record(warehouse, "b", RemediationStep.REMOVED, "x", D1, 1, pd.Timestamp("2026-01-01T00:00Z"))
        with monkeypatch.context() as patch:
            patch.setattr(warehouse, "_mark", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                record(warehouse, "b", RemediationStep.DONE, "x", D1, 1, pd.Timestamp("2026-01-01T00:00Z"))
        assert warehouse.damaged() == []
        record(warehouse, "b", RemediationStep.DONE, "x", D1, 1, pd.Timestamp("2026-01-01T00:00Z"))
        assert warehouse.row_counts(remediation.REMEDIATIONS, [D1]) == {D1: 2}

    def test_what_is_read_during_a_write_is_not_cached(self, warehouse, gcp, tmp_path, monkeypatch):
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        other, merge = reopened(warehouse, gcp, tmp_path), warehouse._merge

        def read_in_between(*args):
            assert len(other.read(LEDGER, [D1])) == 1
            merge(*args)
            assert len(other.read(LEDGER, [D1])) == 2
            raise KeyboardInterrupt

        monkeypatch.setattr(warehouse, "_merge", read_in_between)
        with pytest.raises(KeyboardInterrupt):
            warehouse.append(LEDGER, ledger(["b"]), [D1])
        assert len(other.read(LEDGER, [D1])) == 2

    def test_a_row_of_another_century_is_counted_and_blocks_nothing(self, warehouse):
        warehouse.append(LEDGER, ledger(["a"]), [D1])
        name = warehouse._tables.name(LEDGER.address)
        warehouse._api.client.query(
            f"INSERT INTO `{name}` (game_date, prediction_id) VALUES (DATE '2300-01-01', 'x')"
        ).result()
        (damage,) = warehouse.damaged()
        assert "2300-01-01 holds 1 rows, though no mark" in damage.reason
        assert list(warehouse.fingerprints(LEDGER)) == [D1]

    @pytest.mark.parametrize("dies_after", ["rows", "nothing"])
    def test_a_crash_between_rows_and_mark_raises_no_false_alarm(self, warehouse, monkeypatch, dies_after):
        warehouse.append(LEDGER, ledger(["a"]), [D1], {D1: "old"})
        before = warehouse.states(LEDGER)[D1].content
        dies = "_mark" if dies_after == "rows" else "_merge"
        with monkeypatch.context() as patch:
            patch.setattr(warehouse, dies, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                warehouse.append(LEDGER, ledger(["b"]), [D1], {D1: "new"})
        assert warehouse.damaged() == []
        state = warehouse.states(LEDGER)[D1]
        assert state.made_from == "old", "what may not be there is not said to be made"
        assert (state.content == before) == (dies_after == "nothing")
        assert warehouse.append(LEDGER, ledger(["b"]), [D1], {D1: "new"})[D1][0] == (dies_after == "nothing")
        assert warehouse.damaged() == []
        assert warehouse.states(LEDGER)[D1].made_from == "new"


WRITER = """
import json, os, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
import pandas as pd
from nba_props.settings import Gcp
from nba_props.warehouse.registry import open_warehouse
from nba_props_tests.conftest import make_settings
from nba_props_tests.warehouse.samples import D1, D2, LEDGER, NAMES, ledger, names
warehouse = open_warehouse(make_settings(Path(sys.argv[1]), gcp=Gcp(**json.loads(sys.argv[2]))))
mark, count = sys.argv[3], int(sys.argv[4])
print("ready", flush=True)
for n in range(count):
    warehouse.append(LEDGER, ledger([f"shared-{n}", f"{mark}-{n}-0", f"{mark}-{n}-1"]), [D1])
    warehouse.write(NAMES, pd.concat([names(D1, 20, f"{mark}{n}-"), names(D2, 10, f"{mark}{n}-")]), [D1, D2])
    warehouse.write(NAMES, names(D1, 20, f"{mark}{n}+"), [D1])
"""


def writer(tmp_path, gcp, mark: str, count: int) -> subprocess.Popen:
    import json
    from dataclasses import asdict

    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), json.dumps(asdict(gcp)), mark, str(count)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.long
def test_two_concurrent_processes_lose_and_duplicate_nothing(warehouse, gcp, tmp_path):
    rounds = 2
    for table in (LEDGER, NAMES):  # the emulator knows no "already there" for two who make a dataset at once
        warehouse._tables.ensure(table.address)
    both = [writer(tmp_path, gcp, mark, rounds) for mark in ("a", "b")]
    failed = [p.stderr.read().decode()[-4000:] for p in both if p.wait()]
    assert failed == []
    ids = warehouse.read(LEDGER, [D1])["prediction_id"]
    assert ids.is_unique
    assert set(ids) == {f"shared-{n}" for n in range(rounds)} | {
        f"{m}-{n}-{i}" for m in "ab" for n in range(rounds) for i in (0, 1)
    }
    for day, rows in ((D1, 20), (D2, 10)):
        kept = warehouse.read(NAMES, [day])
        assert len(kept) == rows
        assert kept["source_name"].str.extract(r"^(\w\d)")[0].nunique() == 1, "rows of two writes are mixed"
    assert warehouse.damaged() == []
    assert leftovers(warehouse) == []


@pytest.mark.slow
@pytest.mark.long
def test_a_process_killed_at_any_moment_leaves_whole_partitions(warehouse, gcp, tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "LEASE_SECONDS", 1.0)
    warehouse.write(NAMES, names(D1, 20, "first-"), [D1])
    known: set[str] = set()
    for attempt in range(2):
        process = writer(tmp_path, gcp, f"k{attempt}", 1000)
        process.stdout.readline()
        time.sleep(0.8 + 0.37 * attempt)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        fresh = reopened(warehouse, gcp, tmp_path)
        rows = fresh.query("SELECT source_name FROM nba_reference.unresolved_names WHERE game_date = @day", day=D1)
        assert len(rows) == 20
        assert rows["source_name"].str.extract(r"^(\w+[-+])")[0].nunique() == 1, "rows of two writes are mixed"
        sql = "SELECT prediction_id FROM nba_predictions.ledger WHERE game_date = @day"
        ids = set(fresh.query(sql, day=D1)["prediction_id"])
        assert known <= ids, "a published row is lost"
        assert len([i for i in ids if i.startswith("k")]) % 2 == 0, "half an append was kept"
        known = ids
    later = reopened(warehouse, gcp, tmp_path)
    assert later.append(LEDGER, ledger(["last"]), [D1]) == {D1: (1, 0)}
    assert set(later.read(LEDGER, [D1])["prediction_id"]) == known | {"last"}


def test_no_credentials_is_one_sentence(tmp_path, monkeypatch, gcp):
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    nobody = open_warehouse(make_settings(tmp_path, gcp=replace(gcp, bigquery_url=None, bigquery_storage=None)))
    with pytest.raises(
        WarehouseError, match=r"no credentials for Google Cloud: .*gcloud auth application-default login"
    ):
        nobody.query("SELECT 1 AS one")


def test_an_error_of_google_is_ours_with_a_way_out(warehouse, monkeypatch):
    def broken(*_args, **_options):
        raise GoogleAPIError("the network is gone")

    monkeypatch.setattr(bigquery.Client, "get_table", broken)
    with pytest.raises(WarehouseError, match=r"nba_reference\.unresolved_names: the network is gone"):
        warehouse.write(NAMES, names(D1, 1), [D1])


# -- time travel ------------------------------------------------------------------------------------------------------

THEN = datetime(2026, 1, 9, 17, 0, 0, 250_000, tzinfo=UTC)
_THEN = "FOR SYSTEM_TIME AS OF CAST('2026-01-09 17:00:00.250000+00' AS TIMESTAMP)"


@pytest.mark.parametrize("address", [*TABLES, *VIEWS])
def test_every_table_and_view_as_of_an_instant_is_a_statement_of_googles(address):
    short = address.split(".")[1]
    statement = as_of(f"SELECT {short}.* FROM {address} WHERE TRUE", THEN, VIEWS, plain_name)
    analyse(statement)
    assert address in TABLES or short not in {t.name for t in TABLES.values()}
    # no table is read as it is today
    read = statement.count("`nba_")
    assert read == statement.count(_THEN) > 0


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT l.line FROM nba_predictions.ledger AS l JOIN nba_raw.schedule USING (game_id) WHERE l.game_date = @day",
            f"SELECT l.line FROM `p`.`x_nba_predictions`.`ledger` AS l {_THEN} "
            f"JOIN `p`.`x_nba_raw`.`schedule` AS schedule {_THEN} USING (game_id) WHERE l.game_date = @day",
        ),
        ("SELECT 'nba_raw.schedule' AS t", "SELECT 'nba_raw.schedule' AS t"),
        ("WITH ledger AS (SELECT 1 AS n) SELECT n FROM ledger", "WITH ledger AS (SELECT 1 AS n) SELECT n FROM ledger"),
    ],
)
def test_the_statement_that_is_sent(sql, expected):
    assert as_of(sql, THEN, VIEWS, lambda address: f"p.x_{address}") == expected


def test_time_travel_sends_each_statement_as_of_its_instant_and_changes_nothing(warehouse, monkeypatch):
    warehouse.append(LEDGER, ledger(["a"]), [D1])
    now = datetime.now(UTC)
    sent = []
    plain = warehouse._api.rows

    def rows(sql, parameters, what):
        sent.append(sql)
        # the emulator has no time travel: it answers of today
        return plain(re.sub(r" FOR SYSTEM_TIME AS OF CAST\('[^']*' AS TIMESTAMP\)", "", sql), parameters, what)

    monkeypatch.setattr(warehouse._api, "rows", rows)
    monkeypatch.setattr(warehouse._api, "kind_of", lambda sql: "SELECT")
    then = warehouse.as_of(now)
    assert then.query("SELECT prediction_id FROM nba_predictions.current_predictions")["prediction_id"].tolist() == [
        "a"
    ]
    assert then.read_only("SELECT COUNT(*) AS n FROM `nba_predictions.ledger`")["n"].tolist() == [1]
    assert then.partitions(LEDGER) == then.dates(LEDGER) == [D1]
    assert then.read(LEDGER, [D1])["prediction_id"].tolist() == ["a"]
    stamp = now.strftime("%Y-%m-%d %H:%M:%S.%f+00")
    assert len(sent) == 6
    assert all(f"AS OF CAST('{stamp}' AS TIMESTAMP)" in sql for sql in sent)
    with pytest.raises(MissingPartition, match="has no partition 2025-11-06"):
        then.read(LEDGER, [D2])
    for change in (
        lambda: then.append(LEDGER, ledger(["b"]), [D1]),
        lambda: then.write(NAMES, names(D1, 1), [D1]),
        then.create_views,
    ):
        with pytest.raises(WarehouseError, match="the past, which can only be read"):
            change()
    with pytest.raises(WarehouseError, match=r"more than 7 days ago"):
        warehouse.as_of(now - timedelta(days=8))
    with pytest.raises(WarehouseError, match="in the future"):
        warehouse.as_of(now + timedelta(minutes=5))
    with pytest.raises(WarehouseError, match="no list of versions"):
        warehouse.versions(D1)
