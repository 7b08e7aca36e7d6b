/* Critical sections on a Python object. */
#ifndef PRIVY_PYTHON_CRITICAL_SECTION_H
#define PRIVY_PYTHON_CRITICAL_SECTION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/*
 * The code between CRITICAL_SECTION_BEGIN(object) and CRITICAL_SECTION_END() is atomic for all threads. Always use the
 * two in one function, as a pair: BEGIN opens a block that END closes. With a GIL the block needs no lock. Without one
 * it holds the lock of the object.
 *
 * Inside, do not block, run Python code, return, break, continue or goto.
 */
#ifdef Py_GIL_DISABLED
#define CRITICAL_SECTION_BEGIN(object) Py_BEGIN_CRITICAL_SECTION(object)
#define CRITICAL_SECTION_END() Py_END_CRITICAL_SECTION()
#else
#define CRITICAL_SECTION_BEGIN(object) {
#define CRITICAL_SECTION_END() }
#endif

#endif
