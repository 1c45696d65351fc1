/* truegreen.headers.splitter, compiled: the one loop of the origin guard that Python is slow at.

An ASGI request has its headers as a list of (name, value). The guard must find two of them and know
that neither came twice, so it looks at every line of every request. Nothing else is here: secrets
are compared, and requests judged, in Python.

The Python twin is given to splitter() and asked whenever the lines are not what servers make of
them: not a list, or an item that is not a tuple of two bytes, subclasses included. So every answer,
and every exception, is the twin's, and here no code of anybody's runs while the lines are looked at
(no __eq__, no __iter__).

The lines are looked at in a copy that nobody else can see: the server's list may change while the
copy is allocated (a finalizer may run), but not afterwards. All references are strong or into it. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#ifdef Py_GIL_DISABLED
#error "not tried on free-threaded builds; truegreen goes its pure way there"
#endif

static int
same(PyObject *left, PyObject *right)
{
    Py_ssize_t size = PyBytes_GET_SIZE(left);
    return size == PyBytes_GET_SIZE(right)
        && memcmp(PyBytes_AS_STRING(left), PyBytes_AS_STRING(right), (size_t)size) == 0;
}

/* self: (secret's name, address's name, twin), made by splitter(). */
static PyObject *
split(PyObject *self, PyObject *headers)
{
    PyObject *secret_name = PyTuple_GET_ITEM(self, 0);
    PyObject *address_name = PyTuple_GET_ITEM(self, 1);
    PyObject *secret = NULL, *line = NULL;  /* borrowed from lines */
    PyObject *lines = NULL, *answer = NULL;
    Py_ssize_t size, kept = 0;
    int several = 0;

    if (!PyList_CheckExact(headers)) {
        return PyObject_CallOneArg(PyTuple_GET_ITEM(self, 2), headers);
    }
    lines = PyList_GetSlice(headers, 0, PyList_GET_SIZE(headers));
    if (lines == NULL) {
        return NULL;
    }
    size = PyList_GET_SIZE(lines);
    for (Py_ssize_t at = 0; at < size; at++) {
        PyObject *pair = PyList_GET_ITEM(lines, at), *name, *value;
        if (!PyTuple_CheckExact(pair) || PyTuple_GET_SIZE(pair) != 2
            || !PyBytes_CheckExact(name = PyTuple_GET_ITEM(pair, 0))
            || !PyBytes_CheckExact(value = PyTuple_GET_ITEM(pair, 1))) {
            Py_DECREF(lines);
            return PyObject_CallOneArg(PyTuple_GET_ITEM(self, 2), headers);
        }
        if (same(name, secret_name)) {
            several |= secret != NULL;
            secret = value;
            continue;
        }
        if (same(name, address_name)) {
            several |= line != NULL;
            line = value;
        }
        /* What is kept moves up; the secret's lines change places with it, and end up last. */
        PyList_SET_ITEM(lines, at, PyList_GET_ITEM(lines, kept));
        PyList_SET_ITEM(lines, kept, pair);
        kept++;
    }
    answer = PyTuple_New(4);
    if (answer != NULL) {
        PyTuple_SET_ITEM(answer, 0, Py_NewRef(secret == NULL ? Py_None : secret));
        PyTuple_SET_ITEM(answer, 1, Py_NewRef(line == NULL ? Py_None : line));
        PyTuple_SET_ITEM(answer, 2, Py_NewRef(several ? Py_True : Py_False));
        PyTuple_SET_ITEM(answer, 3, Py_NewRef(secret == NULL ? headers : lines));
        if (kept < size && PyList_SetSlice(lines, kept, size, NULL) < 0) {
            Py_CLEAR(answer);
        }
    }
    Py_DECREF(lines);
    return answer;
}

static PyMethodDef split_method = {
    "split", split, METH_O, "split(headers) -> (secret, line, several, stripped)"};

static PyObject *
splitter(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *secret_name, *address_name, *twin, *self, *made;

    if (!PyArg_ParseTuple(args, "SSO:splitter", &secret_name, &address_name, &twin)) {
        return NULL;
    }
    self = PyTuple_Pack(3, secret_name, address_name, twin);
    if (self == NULL) {
        return NULL;
    }
    made = PyCFunction_New(&split_method, self);
    Py_DECREF(self);
    return made;
}

static PyMethodDef methods[] = {
    {"splitter", splitter, METH_VARARGS,
     "splitter(secret_name, address_name, twin): see truegreen.headers"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "truegreen_speedups",
    .m_doc = "The compiled twin of truegreen.headers.splitter.",
    .m_size = 0,
    .m_methods = methods,
};

PyMODINIT_FUNC
PyInit_truegreen_speedups(void)
{
    return PyModuleDef_Init(&definition);
}
