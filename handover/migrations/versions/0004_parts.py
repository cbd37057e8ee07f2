"""Parts of redaction runs and of inspections, so that several workers share them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "redaction_parts",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("redaction_id", sa.Uuid(), nullable=False),
        sa.Column("record_set_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("output_copy_id", sa.Uuid(), nullable=True),
        sa.Column("sample_copy_id", sa.Uuid(), nullable=True),
        sa.Column("report_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["redaction_id"], ["redactions.id"], name=op.f("fk_redaction_parts_redaction_id_redactions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redaction_parts")),
    )
    with op.batch_alter_table("redaction_parts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_redaction_parts_redaction_id"), ["redaction_id"], unique=False)

    op.create_table(
        "inspection_parts",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("record_set_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("result_copy_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_set_id"], ["record_sets.id"], name=op.f("fk_inspection_parts_record_set_id_record_sets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_parts")),
    )
    with op.batch_alter_table("inspection_parts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inspection_parts_record_set_id"), ["record_set_id"], unique=False)
