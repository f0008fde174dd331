"""Models that learners define in cells: registered, with a table, and replaced when the cell runs again.

Django registers a model once, for good: models are code that is imported. A cell runs many times. So the class that is
about to be replaced is forgotten first, its table is made anew, and models of other cells that point at it are pointed
at its successor.
"""

from functools import wraps

LABEL = "lab"

# Computed once from what a relation points at, and kept: they must be computed again for the successor.
_KEPT_BY_FIELDS = [
    "foreign_related_fields",
    "local_related_fields",
    "path_infos",
    "related_fields",
    "related_model",
    "reverse_path_infos",
    "reverse_related_fields",
    "target_field",
]
_KEPT_BY_DESCRIPTORS = ["RelatedObjectDoesNotExist", "related_manager_cls", "related_manager_cache_key"]


def install():
    """Let cells define models from now on. Does nothing the second time.

    Models of `__main__` belong to the app "lab" unless their Meta says otherwise.
    """
    from django.apps import apps
    from django.db.models.base import ModelBase

    if getattr(ModelBase.__new__, "forgets_old_classes", False):
        return
    containing_app = apps.get_containing_app_config
    define = ModelBase.__new__

    def get_containing_app_config(object_name):
        return apps.get_app_config(LABEL) if object_name == "__main__" else containing_app(object_name)

    @wraps(define)
    def __new__(cls, name, bases, attrs, **kwargs):
        if not _is_of_lab(bases, attrs):
            return define(cls, name, bases, attrs, **kwargs)
        return _define(name, lambda: define(cls, name, bases, attrs, **kwargs))

    __new__.forgets_old_classes = True
    apps.get_containing_app_config = get_containing_app_config
    ModelBase.__new__ = __new__


def create_tables():
    """Make the tables of the notebook's models that the database does not have yet."""
    from django.db import connection

    wanted = [model for model in _models() if list(_tables(model)) and not _unresolved(model)]
    present = set(connection.introspection.table_names()) if wanted else set()
    wanted = [model for model in wanted if model._meta.db_table not in present]
    if wanted:
        _refuse_inside_atomic()
        with connection.schema_editor() as editor:
            for model in wanted:
                editor.create_model(model)


def _is_of_lab(bases, attrs):
    """Whether this class statement makes a model, neither abstract nor created by Django itself, of the app "lab"."""
    from django.db.models.base import ModelBase

    if not any(isinstance(base, ModelBase) for base in bases):
        return False
    meta = attrs.get("Meta")
    if getattr(meta, "abstract", False) or getattr(meta, "auto_created", False):
        return False
    if getattr(meta, "apps", None) is not None:  # a registry of its own, as migrations have
        return False
    label = getattr(meta, "app_label", None)
    return label == LABEL or (label is None and attrs.get("__module__") == "__main__")


def _define(name, define):
    """Call `define` so that the class it makes takes the place of the one with the same name."""
    from django.apps import apps

    from .database import interrupts_held

    with interrupts_held():
        old = apps.all_models[LABEL].get(name.lower())
        gone = [old, *_heirs(old)] if old else []
        if gone:
            _drop([*gone, *_pointing_at(old)])
        for model in gone:
            _forget(model)
        _forget_plans_of_the_forgotten()
        new = define()
        for model in _pointing_at(new):
            _repoint(model, new)
        apps.clear_cache()
        create_tables()
    for model in gone[1:]:
        print(f"{model.__name__} inherits from the {name} of before: run its cell again.")
    for field, target in _unresolved(new):
        print(f"{name} has no table until {target} is defined, which its field {field.name} names.")
    return new


def forget_models():
    """Take every model of the notebook out of Django's registry, as if its cell had never run. Tables stay."""
    for model in _models():
        _forget(model)


def _heirs(old):
    """Models of the notebook that inherit from a class, proxies among them."""
    return [model for model in _models() if model is not old and issubclass(model, old)]


def _models(**options):
    from django.apps import apps

    return list(apps.get_app_config(LABEL).get_models(**options))


def _relations(model):
    fields = [*model._meta.local_fields, *model._meta.local_many_to_many]
    return [field for field in fields if field.remote_field is not None]


def _is_version_of(target, model):
    """Whether a relation's target is this model, in this or in an earlier version."""
    return isinstance(target, type) and target._meta.label_lower == model._meta.label_lower


def _pointing_at(model):
    """Other models of the notebook with a relation to this one, in this or in an earlier version."""
    return [
        other
        for other in _models(include_auto_created=True)
        if other._meta.label_lower != model._meta.label_lower
        and other._meta.auto_created is not model
        and any(
            _is_version_of(target, model)
            for field in _relations(other)
            for target in (field.remote_field.model, getattr(field.remote_field, "through", None))
        )
    ]


def _forget(model):
    """Take a model out of Django's registry, with all that it added to other models."""
    from django.apps import apps

    for field in _relations(model):
        rel = field.remote_field
        if not isinstance(rel.model, str) and not rel.hidden:
            _remove_accessor(rel.model, rel)
        through = getattr(rel, "through", None)
        if isinstance(through, type) and through._meta.auto_created:
            apps.all_models[through._meta.app_label].pop(through._meta.model_name, None)
    apps.all_models[LABEL].pop(model._meta.model_name, None)
    apps.clear_cache()


def _forget_plans_of_the_forgotten():
    """Drop what classes that are gone, or that failed half-way, still wanted to do once a model is defined."""
    from django.apps import apps

    for functions in apps._pending_operations.values():
        functions[:] = [function for function in functions if not _is_of_the_forgotten(function)]


def _is_of_the_forgotten(function):
    from django.apps import apps

    while function is not None:
        for argument in [*getattr(function, "args", ()), *(getattr(function, "keywords", None) or {}).values()]:
            model = argument if isinstance(argument, type) else getattr(argument, "model", None)
            options = getattr(model, "_meta", None)
            if options and options.app_label == LABEL and apps.all_models[LABEL].get(options.model_name) is not model:
                return True
        function = getattr(function, "func", None)
    return False


def _remove_accessor(model, rel):
    name = rel.get_accessor_name()
    descriptor = model.__dict__.get(name)
    if getattr(descriptor, "rel", None) is rel or getattr(descriptor, "related", None) is rel:
        delattr(model, name)


def _concerns(function, model):
    """Whether an operation that waits for a model was asked for by a field of this one."""
    while function is not None:
        for argument in [*getattr(function, "args", ()), *(getattr(function, "keywords", None) or {}).values()]:
            if argument is model or getattr(argument, "model", None) is model:
                return True
        function = getattr(function, "func", None)
    return False


def _repoint(model, new):
    """Let the relations of a model that point at an earlier version point at the new class."""
    for field in _relations(model):
        rel = field.remote_field
        if _is_version_of(getattr(rel, "through", None), new) and rel.through is not new:
            rel.through = new
            _compute_again(field)
        if _is_version_of(rel.model, new) and rel.model is not new:
            rel.model = new
            if not field.many_to_many and rel.field_name not in {target.name for target in new._meta.fields}:
                rel.field_name = new._meta.pk.name
            _compute_again(field)
            field.contribute_to_related_class(new, rel)


def _compute_again(field):
    for kept in (field.__dict__, field.remote_field.__dict__):
        for name in _KEPT_BY_FIELDS:
            kept.pop(name, None)
        for name in [name for name in kept if name.startswith("_m2m_") and name.endswith("_cache")]:
            del kept[name]
    descriptor = field.model.__dict__.get(field.name)
    for name in _KEPT_BY_DESCRIPTORS:
        getattr(descriptor, "__dict__", {}).pop(name, None)


def _unresolved(model):
    """(relation, name) for the relations of the model that name a class which does not exist yet."""
    targets = [
        (field, target)
        for field in _relations(model)
        for target in (field.remote_field.model, getattr(field.remote_field, "through", None))
    ]
    return [(field, target) for field, target in targets if isinstance(target, str)]


def _drop(models):
    from django.db import connection

    present = set(connection.introspection.table_names())
    tables = dict.fromkeys(name for model in models for name in _tables(model) if name in present)
    if not tables:
        return
    _refuse_inside_atomic()
    # An iterator that nobody finished would keep its table locked.
    connection.close()
    drop = connection.schema_editor().sql_delete_table
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for name in tables:
            cursor.execute(drop % {"table": connection.ops.quote_name(name)})


def _refuse_inside_atomic():
    from django.db import connection

    if connection.in_atomic_block:
        raise RuntimeError("A model gets its table outside of transactions: define it before atomic() begins.")


def _tables(model):
    """The model's table after those of its automatic many-to-many relations; none for a proxy."""
    options = model._meta
    if options.proxy or options.swapped or not options.managed:
        return
    for field in options.local_many_to_many:
        through = field.remote_field.through
        if isinstance(through, type) and through._meta.auto_created:
            yield through._meta.db_table
    yield options.db_table
