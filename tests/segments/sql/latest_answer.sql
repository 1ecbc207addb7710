SELECT tally_1.contact_id AS contact_id
FROM timeline.tally AS tally_1
WHERE tally_1.workspace_id = %(workspace_id_1)s::UUID
AND tally_1.kind = %(kind_1)s::VARCHAR
AND tally_1.subject = %(subject_1)s::VARCHAR
AND tally_1.chosen && CAST(%(param_1)s::TEXT[] AS TEXT[])
-- kind_1 = survey_answer
-- param_1 = ['c1', 'c2']
-- subject_1 = f61c4f9f-0f1b-52e1-9012-73330e93154e
-- workspace_id_1 = 616e9aad-04c0-58b7-878b-89c50190e59e
